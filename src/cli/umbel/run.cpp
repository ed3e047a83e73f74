// Three ways to run: in the foreground with the caller's own descriptors and no further process;
// with a terminal, which a monitor keeps so that one can leave and come back; in the background.
#include <utility>

#include "cli/umbel/commands.h"
#include "cli/umbel/configure.h"
#include "cli/umbel/containers.h"
#include "cli/umbel/output.h"
#include "cli/umbel/promise.h"
#include "console/terminal.h"
#include "sys/file.h"

namespace umbel::cli {

namespace {

using container::Container;
using container::Home;

Result<void> check_terminal(const RunOptions& o) {
  if (!o.detach_keys.empty()) TRY(detach_keys(o.detach_keys));
  if (!o.terminal || !o.interactive || o.detach || console::is_terminal(standard_in)) return {};
  return fail("--tty needs a terminal as standard input, and there is none here",
              "leave -t out, or run it in the background with -d");
}

Result<Container> create(const RunOptions& o) {
  const Caller who = TRY(caller());
  RunOptions chosen = o;
  const std::optional<policy::Policy> policy = TRY(choose_by_policy(chosen));
  Configured made = TRY(configure(chosen, who));
  if (policy) TRY(promise(*policy, chosen, made.config));
  for (const std::string& text : made.notes) note(text);
  const Home home = TRY(Home::open());
  TRY(check_joins(home, made.config, policy, o.force ? Force::yes : Force::no));
  return home.create(std::move(made.config));
}

// What could not be had as usual: kept in the record, told to a person, not to a script's log.
void tell(const std::vector<std::string>& notes) {
  if (!console::is_terminal(standard_error)) return;
  for (const std::string& text : notes) note(text);
}

Result<int> in_foreground(Container& container, const RunOptions& o) {
  const Fd nothing = TRY(sys::open(cwd, "/dev/null", O_RDONLY));
  const container::Stdio stdio{.in = o.interactive ? standard_in : FdRef(nothing)};
  return container::run_foreground(
      container, {.stdio = stdio, .note = [](const std::string& text) { tell({text}); }});
}

Result<int> in_background(Container& container) {
  TRY(container::start_detached(container));
  tell(container.state.notes);
  TRY(print_line(container.name()));
  return 0;
}

Result<int> at_terminal(Container& container, const RunOptions& o) {
  const std::string keys = TRY(detach_keys(o.detach_keys));
  const Fd socket = TRY(container::start_attached(container));
  tell(container.state.notes);
  return serve_attached(container, socket, o.interactive ? Input::passed : Input::none, keys);
}

// What could not be started leaves no record.
void forget(Container& container) {
  if (container.lock() && container.state.started == 0)
    (void)container::remove(container, container::Force::yes);
}

Result<int> run(const RunOptions& o) {
  TRY(check_terminal(o));
  Container container = TRY(create(o));
  Result<int> code = o.detach     ? in_background(container)
                     : o.terminal ? at_terminal(container, o)
                                  : in_foreground(container, o);
  if (code) return code;
  forget(container);
  return Failure(explain_command(std::move(code.error()), container.config));
}

Result<int> make(const RunOptions& o) {
  const Container container = TRY(create(o));
  TRY(print_line(container.name()));
  return 0;
}

}  // namespace

const Verb run_verb = verb<RunOptions, run_syntax, run>;
const Verb create_verb = verb<RunOptions, create_syntax, make>;

}  // namespace umbel::cli
