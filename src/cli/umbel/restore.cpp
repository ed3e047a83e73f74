#include "carry/revive.h"
#include "cli/umbel/commands.h"
#include "cli/umbel/output.h"
#include "cli/umbel/places.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> from;
  std::optional<std::string> name;
};

Syntax syntax(Options& o) {
  return {
      .sections = {{"",
                    {{"name", 0, "NAME", "under another name than the one that it had", &o.name}}}},
      .operands = {"FROM", 1, 1, &o.from},
      .about =
          "FROM is the name of a checkpoint in umbel's store; the directory or file of one if "
          "there is a / in it; or - for standard input. The container goes on where it was, "
          "in the background, with the same pids inside. Nothing is left if that fails.",
      .examples = {
          {"umbel restore web", "after umbel checkpoint web"},
          {"umbel restore /backup/web.img --name web2", "a copy of it"},
          {"umbel checkpoint a --to - | umbel restore - --name b", "without a file in between"}}};
}

Result<int> act(const Options& o) {
  const container::Home home = TRY(container::Home::open());
  const checkpoint::image::Reader image = TRY(open_image(o.from.front()));
  const container::Container made = TRY(carry::revive(home, image, {.name = o.name}));
  TRY(print_line(made.name()));
  return 0;
}

}  // namespace

const Verb restore_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
