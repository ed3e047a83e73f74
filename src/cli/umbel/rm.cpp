#include "cli/umbel/commands.h"
#include "cli/umbel/containers.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> names;
  bool force = false;
};

Syntax syntax(Options& o) {
  return {.sections = {{"", {{"force", 'f', "", "kill it first if it runs", &o.force}}}},
          .operands = {"CONTAINER...", 1, any_number, &o.names},
          .about = "Removes its record, log and cgroup, and what a killed umbel left of it.",
          .examples = {{"umbel rm build test", "both"},
                       {"umbel rm -f $(umbel ps -aq)", "every container there is"}}};
}

Result<int> act(const Options& o) {
  const auto force = o.force ? container::Force::yes : container::Force::no;
  return for_each(o.names, "rm", [&](container::Container& container) {
    return container::remove(container, force);
  });
}

}  // namespace

const Verb rm_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
