#include "cli/umbel/commands.h"
#include "cli/umbel/containers.h"
#include "cli/umbel/environment.h"
#include "cli/umbel/promise.h"
#include "console/attach.h"
#include "console/terminal.h"
#include "sys/file.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> words;
  bool detach = false, interactive = false, terminal = false, privileged = false, force = false;
  std::vector<std::string> env, env_files;
  std::optional<std::string> workdir, user;
};

Syntax syntax(Options& o) {
  return {
      .sections = {{"",
                    {{"interactive", 'i', "", "give it standard input", &o.interactive},
                     {"tty", 't', "", "give it a terminal", &o.terminal},
                     {"detach", 'd', "", "do not wait for it; its output is dropped", &o.detach},
                     {"env", 'e', "NAME[=VALUE]", "set a variable, or pass one on", &o.env},
                     {"env-file", 0, "FILE", "set the variables of a file", &o.env_files},
                     {"workdir", 'w', "DIR",
                      "where it starts; without it where the container's "
                      "command started",
                      &o.workdir},
                     {"user", 'u', "USER[:GROUP]", "as whom it runs", &o.user},
                     {"privileged", 0, "", "with every capability and no filter", &o.privileged},
                     {"force", 0, "", "even if it breaks the container's policy; it is recorded",
                      &o.force}}}},
      .operands = {"CONTAINER COMMAND [ARG]...", 2, any_number, &o.words, Rest::command},
      .about =
          "It joins exactly the container's namespaces and cgroup, with its capabilities "
          "and system-call filter.",
      .examples = {{"umbel exec -it web sh", "a shell inside"},
                   {"umbel exec -u nobody web id", "as another user"}}};
}

Result<std::vector<std::string>> environment(const Options& o) {
  const std::vector<std::string> own = own_environment();
  Variables variables(own);
  if (o.terminal) variables.pass_on("TERM");
  for (const std::string& file : o.env_files) TRY(variables.add_file(file));
  for (const std::string& text : o.env) TRY(variables.add(text, "--env"));
  return variables.take();
}

Result<int> finish(container::Started started, const Options& o,
                   const container::SignalRelay* signals) {
  if (o.detach) {
    (void)started.process.detach();
    return 0;
  }
  if (signals != nullptr) return TRY(signals->wait(started.process)).code();
  const console::AttachOptions how{.input = o.interactive, .terminal = true};
  return TRY(console::relay(std::move(started.process), started.terminal, how)).code();
}

Result<int> act(const Options& o) {
  if (o.terminal && o.interactive && !console::is_terminal(standard_in))
    return fail("--tty needs a terminal as standard input, and there is none here", "leave -t out");
  const container::Home home = TRY(container::Home::open());
  container::Container container = TRY(home.find(o.words.front()));
  if (const std::optional<policy::Policy> policy = TRY(promise_of(container)))
    TRY(hold_to(container,
                policy::against_exec(*policy, container.name(), {.privileged = o.privileged}),
                o.force ? Force::yes : Force::no));
  const Fd null = TRY(sys::open(cwd, "/dev/null", O_RDWR));
  container::Exec what{.args = {o.words.begin() + 1, o.words.end()},
                       .cwd = o.workdir,
                       .user_name = o.user,
                       .terminal = o.terminal,
                       .interactive = o.interactive,
                       .privileged = o.privileged};
  what.env = TRY(environment(o));
  if (const Result<console::WindowSize> size = console::window_size(standard_out))
    what.console_size = {.rows = size->rows, .columns = size->columns};
  if (!o.interactive || o.detach) what.stdio.in = null;
  if (o.detach) what.stdio.out = what.stdio.err = null;
  std::optional<container::SignalRelay> signals;
  if (!o.terminal && !o.detach) signals.emplace(TRY(container::SignalRelay::open()));
  Result<container::Started> started = container::exec(container, what);
  if (!started) {
    container.config.process.args = what.args;
    return Failure(explain_command(std::move(started.error()), container.config));
  }
  return finish(std::move(*started), o, signals ? &*signals : nullptr);
}

}  // namespace

const Verb exec_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
