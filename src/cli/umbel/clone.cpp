#include "base/text.h"
#include "carry/revive.h"
#include "cli/umbel/commands.h"
#include "cli/umbel/output.h"
#include "cli/umbel/places.h"
#include "container/lifecycle.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> from;
  std::string count;
  std::optional<std::string> name;
};

Syntax syntax(Options& o) {
  return {
      .sections = {{"",
                    {{"count", 'n', "N", "how many", &o.count},
                     {"name", 0, "NAME",
                      "what their names begin with; without it the one that it had", &o.name}}}},
      .operands = {"FROM", 1, 1, &o.from},
      .about =
          "Brings a saved container back several times, as NAME-1, NAME-2 and so on. FROM is "
          "as for umbel restore. If one of them fails, none is left.",
      .examples = {{"umbel clone web --count 3", "web-1, web-2, web-3, all warm"}}};
}

Result<int> act(const Options& o) {
  constexpr std::int64_t most = 10000;
  const auto count = number(o.count);
  if (!count || *count < 1 || *count > most)
    return fail("--count: '" + o.count + "' is no number from 1 to " + std::to_string(most),
                "umbel clone " + o.from.front() + " --count 3");
  const container::Home home = TRY(container::Home::open());
  const checkpoint::image::Reader image = TRY(open_image(o.from.front()));
  const carry::Saved saved = TRY(carry::saved_in(image));
  const std::string base = o.name.value_or(saved.config.name) + "-";
  std::vector<container::Container> made;
  for (std::int64_t i = 1; i <= *count; ++i) {
    Result<container::Container> one =
        carry::revive(home, image, {.name = base + std::to_string(i)});
    if (one) {
      one->unlock();
      made.push_back(std::move(*one));
      continue;
    }
    for (container::Container& earlier : made)
      (void)container::remove(earlier, container::Force::yes);
    return during("clone " + std::to_string(i), Result<int>(Failure(one.error())));
  }
  for (const container::Container& one : made) TRY(print_line(one.name()));
  return 0;
}

}  // namespace

const Verb clone_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
