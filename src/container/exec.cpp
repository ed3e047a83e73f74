// A further program in a container: a stage enters everything by one setns(2) on the init's pidfd
// (Linux 5.8), which either joins all or none, and gives birth to the program as the caller's
// child, so that it is born in the container's pid namespace.
#include <unistd.h>

#include <array>

#include "base/text.h"
#include "console/terminal.h"
#include "container/lifecycle.h"
#include "container/listener.h"
#include "container/rearrange.h"
#include "container/start.h"
#include "container/talk.h"
#include "rootfs/plan.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/mount.h"

namespace umbel::container {

namespace {

Process process_of(const Config& config, const Exec& what) {
  Process process = config.process;
  process.args = what.args;
  for (const std::string& entry : what.env) {
    const std::string name = entry.substr(0, entry.find('=') + 1);
    std::erase_if(process.env, [&](const std::string& known) { return known.starts_with(name); });
    process.env.push_back(entry);
  }
  if (what.cwd) {
    process.cwd = *what.cwd;
    process.cwd_is_wish = false;
  }
  if (what.user_name) {
    process.user_name = *what.user_name;
    // The first command's HOME is another person's.
    std::erase_if(process.env, [](const std::string& entry) { return entry.starts_with("HOME="); });
  }
  process.terminal = what.terminal;
  process.console_size = what.console_size;
  process.interactive = what.interactive;
  if (what.privileged) {
    const security::CapSet all = security::all_capabilities();
    process.capabilities = {all, all, 0, all, 0};
    process.default_filter = false;
    process.seccomp.reset();
    process.no_new_privileges = false;
  }
  return process;
}

Result<cgroup::Paths> below(cgroup::Paths paths, const std::map<std::string, std::string>& parts) {
  std::size_t used = 0;
  for (auto& [hierarchy, path] : paths) {
    auto part = parts.find("");
    for (const std::string_view controller : split(hierarchy, ','))
      if (const auto own = parts.find(std::string(controller)); own != parts.end()) {
        part = own;
        ++used;
      }
    if (part != parts.end()) path += rootfs::clean_path("/" + part->second);
  }
  if (used < parts.size() - parts.count(""))
    return fail("the container has no cgroup of one of the controllers that were named");
  return paths;
}

struct Entry {
  const Process& process;
  Asked asked;
  const std::optional<security::Filter>& filter;
  const Entering& how;
  FdRef init;
  std::uint64_t join;
  const Elsewhere& elsewhere;
  const cgroup::Cgroup& group;
};

Result<void> inside(const Entry& entry, Fd& channel) {
  const Fd root = TRY(sys::open(cwd, "/", O_PATH | O_DIRECTORY));
  Fd slave;
  if (entry.process.terminal) {
    const Fd devpts = TRY(sys::open_in_root(root, "/dev/pts", O_PATH | O_DIRECTORY));
    console::Pty pty = TRY(during("making a terminal", console::open_pty(devpts)));
    if (const auto& size = entry.process.console_size)
      TRY(console::set_window_size(pty.master, {.rows = size->rows, .columns = size->columns}));
    const FdRef master = pty.master;
    TRY(say(channel, Word::terminal, {}, std::span(&master, 1)));
    slave = std::move(pty.slave);
  }
  const Person person = TRY(settle(entry.process, root));
  return Failure(run({.process = entry.process,
                      .asked = entry.asked,
                      .person = person,
                      .filter = entry.filter,
                      .stdio = entry.how.stdio,
                      .terminal = slave,
                      .channel = channel,
                      .preserved = entry.how.preserved}));
}

// In the stage. The copy that clone3 makes of it becomes the program.
Result<void> enter(const Entry& entry, Fd& channel) {
  const security::CpuAffinity& affinity = entry.process.affinity;
  if (!affinity.initial.empty()) TRY(security::set_affinity(affinity.initial));
  TRY(settle_outside(entry.process, &entry.group, entry.asked));
  if (!affinity.final.empty()) TRY(security::set_affinity(affinity.final));
  TRY(container::enter(entry.init, entry.join, entry.elsewhere));
  // Who has CAP_SYS_PTRACE on the host can look even into what is not dumpable: so what is seen
  // inside from now on has nothing of the host's.
  const Stdio& stdio = entry.how.stdio;
  const std::array<FdRef, 4> kept{channel, stdio.in, stdio.out, stdio.err};
  TRY(sys::close_all_but(3 + entry.how.preserved, kept));
  sys::Process born = TRY(sys::clone3({.flags = CLONE_PARENT}));
  if (!born) {
    const Result<void> failed = inside(entry, channel);
    (void)say_error(channel, failed.error());
    _exit(127);
  }
  const Fd pidfd = born.detach();
  const FdRef sent = pidfd;
  return say(channel, Word::born, {}, std::span(&sent, 1));
}

}  // namespace

Result<Started> exec(Container& container, const Exec& what) {
  return exec(container, process_of(container.config, what), {.stdio = what.stdio});
}

Result<Started> exec(Container& container, const Process& process, const Entering& how) {
  const Fd init = TRY(container.init());
  if (!how.even_paused && container.status() == Status::paused)
    return fail(container.name() + " is paused: nothing can run in it",
                "resume it first: umbel resume " + container.name());
  const std::optional<security::Filter> filter = TRY(of_field(
      asked(container.config), "linux.seccomp", filter_of(process, TRY(container.home()))));
  const std::uint64_t join = TRY(differing(container.state.init.pid));
  const Elsewhere moved = TRY(elsewhere(container));
  const cgroup::Cgroup group =
      cgroup::Cgroup::open(TRY(below(container.state.cgroup, how.cgroups)));
  const Entry entry{process, asked(container.config), filter, how, init, join, moved, group};
  sys::Channel channel = TRY(sys::channel());
  const sys::Clone born{.cgroup = TRY(group.directory())};
  sys::Process stage = TRY(sys::start(born, [&] {
    channel.ours.close();
    const Result<void> entered = enter(entry, channel.theirs);
    if (!entered) (void)say_error(channel.theirs, entered.error());
    return 0;
  }));
  channel.theirs.close();
  Started started;
  std::optional<Heard> listener;  // may be here before the stage says who was born
  for (bool ready = false;;) {
    Heard heard = TRY(hear(channel.ours));
    if (heard.closed && ready && started.process) return started;
    if (heard.closed)
      return fail("the process that was to enter " + container.name() + " was killed");
    if (heard.word == Word::ready) ready = true;
    if (heard.word == Word::terminal && heard.fds.size() == 1)
      started.terminal = std::move(heard.fds[0]);
    if (heard.word == Word::born && heard.fds.size() == 1) {
      const HostPid pid = TRY(sys::pid_behind(heard.fds[0]));
      started.process = sys::Process(pid, std::move(heard.fds[0]));
    }
    if (heard.word == Word::listener) listener = std::move(heard);
    if (listener && started.process) {
      TRY(hand_on_listener(channel.ours, *listener, container.config, "running",
                           started.process.pid()));
      listener.reset();
    }
  }
}

}  // namespace umbel::container
