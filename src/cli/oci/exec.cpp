// A further process in a running container: described in full by a file, or by the container's own
// with what the flags change of it.
#include "base/text.h"
#include "cli/oci/commands.h"
#include "cli/oci/started.h"
#include "console/attach.h"
#include "oci/config.h"
#include "oci/document.h"

namespace umbel::cli::oci {

namespace {

using container::Container;
using container::Process;

struct Values {
  std::string process, console_socket, pidfd_socket, pid_file;
  std::optional<std::string> cwd, user, apparmor, label;
  std::vector<std::string> env, capabilities, groups, cgroups;
  std::optional<std::uint64_t> preserved;
  bool detach = false, terminal = false, no_new_privileges = false, ignore_paused = false;
};

std::vector<Option> table(Values& v) {
  return {
      {"process", 'p', "FILE", "the process as JSON", &v.process},
      {"detach", 'd', "", "do not wait for its end", &v.detach},
      {"tty", 't', "", "with a terminal", &v.terminal},
      {"console-socket", 0, "PATH", "gets the terminal's master", &v.console_socket},
      {"pidfd-socket", 0, "PATH", "gets a pidfd of the process", &v.pidfd_socket},
      {"pid-file", 0, "FILE", "gets the process's pid", &v.pid_file},
      {"cwd", 0, "DIR", "its working directory", &v.cwd},
      {"env", 'e', "NAME=VALUE", "a further variable", &v.env},
      {"user", 'u', "UID[:GID]", "its user", &v.user},
      {"additional-gids", 'g', "GID", "a further group", &v.groups},
      {"apparmor", 0, "PROFILE", "its AppArmor profile", &v.apparmor},
      {"process-label", 0, "LABEL", "its SELinux label", &v.label},
      {"no-new-privs", 0, "", "it can't gain privileges", &v.no_new_privileges},
      {"cap", 'c', "CAP", "a further capability", &v.capabilities},
      {"preserve-fds", 0, "N", "pass N more descriptors, from 3 on", &v.preserved},
      {"cgroup", 0, "[CONTROLLER,...:]PATH", "a cgroup below the container's", &v.cgroups},
      {"ignore-paused", 0, "", "also in a paused container, where it starts later",
       &v.ignore_paused},
  };
}

Result<std::uint32_t> id(std::string_view option, std::string_view text) {
  const auto value = unsigned_number(text);
  if (value && *value < 0xffffffff) return static_cast<std::uint32_t>(*value);
  return fail(std::string(option) + ": must be a number, not '" + std::string(text) + "'");
}

Result<void> set_user(Process& process, const Values& v) {
  if (v.user) {
    const auto halves = cut(*v.user, ':');
    process.user.uid = TRY(id("--user", halves ? halves->before : *v.user));
    if (halves) process.user.gid = TRY(id("--user", halves->after));
  }
  for (const std::string& group : v.groups)
    process.user.groups.push_back(TRY(id("--additional-gids", group)));
  return {};
}

Result<void> add_capabilities(Process& process, const Values& v) {
  security::Capabilities& sets = process.capabilities;
  for (const std::string& name : v.capabilities) {
    const security::CapSet more = TRY(during("--cap", security::parse_capability(name)));
    for (security::CapSet* set : {&sets.bounding, &sets.effective, &sets.permitted}) *set |= more;
  }
  return {};
}

// The container's own process with what the flags say.
Result<Process> changed(const container::Config& config, const Values& v, Words args) {
  Process process = config.process;
  process.args.assign(args.begin(), args.end());
  process.env.insert(process.env.end(), v.env.begin(), v.env.end());
  if (v.cwd) process.cwd = *v.cwd;
  if (v.apparmor) process.apparmor = *v.apparmor;
  if (v.label) process.selinux = *v.label;
  if (v.no_new_privileges) process.no_new_privileges = true;
  process.terminal = v.terminal;
  TRY(set_user(process, v));
  TRY(add_capabilities(process, v));
  return process;
}

// What the specification says of the container and not of a process.
void complete(Process& process, const container::Config& config) {
  process.seccomp = config.process.seccomp;
  process.personality = config.process.personality;
  process.memory_policy = config.process.memory_policy;
  process.new_keyring = config.process.new_keyring;
  if (!process.oom_score) process.oom_score = config.process.oom_score;
}

Result<Process> process_of(const Global& global, const container::Config& config, const Values& v,
                           Words args) {
  if (v.process.empty()) {
    if (args.empty()) return fail("this command takes the container's id and the program to run");
    return changed(config, v, args);
  }
  const Value document = TRY(during("--process", umbel::oci::read_document(v.process)));
  umbel::oci::Warnings warnings;
  Process process = TRY(during(v.process, umbel::oci::from_process(document, &warnings)));
  for (const std::string& warning : warnings) global.log.warning(warning);
  if (v.terminal) process.terminal = true;
  complete(process, config);
  return process;
}

Result<std::map<std::string, std::string>> cgroups(const std::vector<std::string>& given) {
  std::map<std::string, std::string> made;
  for (const std::string& one : given) {
    const auto halves = cut(one, ':');
    for (const std::string_view controller : split(halves ? halves->before : ",", ',')) {
      const auto [at, fresh] = made.emplace(controller, halves ? halves->after : one);
      if (!fresh) return fail("--cgroup: " + one + " names something for the second time");
      if (!halves) break;
    }
  }
  return made;
}

Result<int> wait(container::Started started, const container::SignalRelay& signals) {
  if (!started.terminal) return TRY(signals.wait(started.process)).code();
  const sys::Exit exit = TRY(console::relay(std::move(started.process), started.terminal,
                                            {.terminal = true, .detach_keys = ""}));
  return exit.code();
}

Result<int> exec(const Global& global, const Values& v, Words words) {
  if (words.empty()) return fail("this command takes the container's id and the program to run");
  const unsigned preserved = TRY(oci::preserved(v.preserved));
  Container container = TRY(find(global, words[0]));
  if (!container.is_running())
    return fail("cannot exec in a stopped container: " + container.name() + " is " +
                std::string(status_word(container.status())));
  const Process process = TRY(process_of(global, container.config, v, words.subspan(1)));
  TRY(check({.wanted = process.terminal, .detached = v.detach, .socket = v.console_socket}));
  std::optional<container::SignalRelay> signals;
  if (!v.detach) signals = TRY(container::SignalRelay::open());
  const auto below = TRY(cgroups(v.cgroups));
  container::Started started = TRY(
      container::exec(container, process,
                      {.preserved = preserved, .cgroups = below, .even_paused = v.ignore_paused}));
  if (!v.console_socket.empty()) TRY(send_console(v.console_socket, started.terminal));
  TRY(send_pidfd(v.pidfd_socket, started.process.pidfd()));
  TRY(write_pid_file(v.pid_file, started.process.pid()));
  if (!v.detach) return wait(std::move(started), *signals);
  (void)started.process.detach();
  return 0;
}

}  // namespace

const Command exec_command{"exec",
                           "ID PROGRAM [ARGUMENT...] | --process FILE ID",
                           "run a further process in a container",
                           with_options<Values, table, exec>,
                           Enters::yes,
                           255};

}  // namespace umbel::cli::oci
