#include "cli/umbel/commands.h"
#include "container/lifecycle.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> names;
};

Syntax syntax(Options& o) {
  return {.operands = {"CONTAINER NAME", 2, 2, &o.names},
          .about = "Its host name and cgroup keep what they are called while it runs.",
          .examples = {{"umbel rename brave-fennel web", "a name that says what it is"}}};
}

Result<int> act(const Options& o) {
  const container::Home home = TRY(container::Home::open());
  container::Container container = TRY(home.find(o.names[0]));
  TRY(container.lock());
  TRY(home.rename(container, o.names[1]));
  return 0;
}

}  // namespace

const Verb rename_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
