#include "cli/umbel/commands.h"
#include "cli/umbel/containers.h"
#include "cli/umbel/output.h"
#include "container/lifecycle.h"

namespace umbel::cli {

namespace {

using container::Container;
using container::Home;

struct Options {
  std::vector<std::string> names;
  bool attach = false, interactive = false;
  std::string keys;
};

Syntax syntax(Options& o) {
  return {.sections =
              {{"",
                {{"attach", 'a', "", "stay connected to its output, and end as it ends", &o.attach},
                 {"interactive", 'i', "", "pass standard input on; with --attach", &o.interactive},
                 {"detach-keys", 0, "KEYS", "leave a terminal with these; without it ctrl-p,ctrl-q",
                  &o.keys}}}},
          .operands = {"CONTAINER...", 1, any_number, &o.names},
          .examples = {{"umbel start web", "once more, as it was run or created"},
                       {"umbel start -ai shell", "and connect to it"}}};
}

Result<void> start(Container& container) {
  TRY(container.lock());
  if (container.is_running()) return {};
  Result<void> started = container::start_detached(container);
  if (started) return {};
  return Failure(explain_command(std::move(started.error()), container.config));
}

Result<int> start_and_attach(const Options& o) {
  const Home home = TRY(Home::open());
  Container container = TRY(home.find(o.names.front()));
  const std::string keys = TRY(detach_keys(o.keys));
  TRY(container.lock());
  if (container.is_running())
    return fail(container.name() + " is running already", "umbel attach " + container.name());
  Result<Fd> socket = container::start_attached(container);
  if (!socket) return Failure(explain_command(std::move(socket.error()), container.config));
  return serve_attached(container, *socket, o.interactive ? Input::passed : Input::none, keys);
}

Result<int> act(const Options& o) {
  if (!o.attach && !o.interactive) return for_each(o.names, "start", start);
  if (o.names.size() == 1) return start_and_attach(o);
  return fail("only one container can be attached to", "start the others without --attach");
}

}  // namespace

const Verb start_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
