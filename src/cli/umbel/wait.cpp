#include "cli/umbel/commands.h"
#include "cli/umbel/containers.h"
#include "cli/umbel/output.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> names;
};

Syntax syntax(Options& o) {
  return {.operands = {"CONTAINER...", 1, any_number, &o.names},
          .examples = {{"umbel wait build", "prints 0 when it has ended well"}}};
}

Result<int> act(const Options& o) {
  const container::Home home = TRY(container::Home::open());
  int code = 0;
  for (const std::string& name : o.names) {
    const auto waited = [&]() -> Result<void> {
      container::Container container = TRY(home.find(name));
      if (container.status() == container::Status::created)
        return fail(container.name() + " was never started",
                    "start it: umbel start " + container.name());
      return print_line(std::to_string(TRY(container::wait(container))));
    }();
    if (waited) continue;
    report("wait", waited.error());
    code = 125;
  }
  return code;
}

}  // namespace

const Verb wait_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
