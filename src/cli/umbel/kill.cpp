#include "cli/umbel/commands.h"
#include "cli/umbel/containers.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> names;
  std::string signal = "KILL";
};

Syntax syntax(Options& o) {
  return {.sections = {{"", {{"signal", 's', "SIGNAL", "which one; without it KILL", &o.signal}}}},
          .operands = {"CONTAINER...", 1, any_number, &o.names},
          .about = "The signal goes to the command of the container; KILL ends all of it.",
          .examples = {{"umbel kill -s HUP web", "make it read its configuration again"}}};
}

Result<int> act(const Options& o) {
  const int signal = TRY(during("--signal", container::parse_signal(o.signal)));
  return for_each(o.names, "kill", [&](container::Container& container) {
    return container::kill(container, signal);
  });
}

}  // namespace

const Verb kill_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
