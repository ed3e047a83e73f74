// Runs as the first process of the container, still in umbel's copied memory, with all rights over
// its new namespaces and none over the host's beyond what it was started with. Everything of the
// host that it needs was opened before; when the root has been changed, nothing of the host can be
// reached.
#include "container/inside.h"

#include <functional>

#include "base/text.h"
#include "console/reaper.h"
#include "console/terminal.h"
#include "container/talk.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/mount.h"

namespace umbel::container {

namespace {

rootfs::Rights rights(const ns::Plan& plan) {
  using ns::Kind;
  const bool user_changes = plan.is_fresh(Kind::user) || plan.is_joined(Kind::user);
  // What this start makes is owned by the user namespace that it runs in; what it joins or keeps
  // may be owned by an outer one, and then belongs to somebody else.
  const auto owned = [&](Kind kind) { return !user_changes || plan.is_fresh(kind); };
  return {.pid_owned = owned(Kind::pid),
          .net_owned = owned(Kind::net),
          .ipc_owned = owned(Kind::ipc),
          .cgroup_owned = owned(Kind::cgroup),
          .user_new = user_changes,
          .cgroup_new = plan.is_fresh(Kind::cgroup)};
}

Result<void> apply_settings(const Config& config, const ns::Plan& plan) {
  for (const ns::KindInfo& kind : ns::kinds)
    // The stage has written the clocks' offsets: they are frozen by now.
    if (plan.is_fresh(kind.kind) && kind.kind != ns::Kind::time) TRY(kind.apply(config.settings));
  // What is asked for by name of a namespace that is joined by its file; "with" takes it as it is.
  ns::Settings asked = config.settings;
  asked.loopback_up = false;
  for (const ns::Kind kind : {ns::Kind::uts, ns::Kind::ipc, ns::Kind::net})
    if (plan.is_joined(kind) && config.namespaces[kind].from == ns::From::path)
      TRY(ns::info(kind).apply(asked));
  // A joined user namespace: as its root, as far as it has one.
  if (plan.is_joined(ns::Kind::user)) TRY(ns::info(ns::Kind::user).apply({.deny_setgroups = true}));
  return {};
}

// Waits until the launcher has recorded this process and made its cgroup; once.
class Settling {
 public:
  Settling(const Config& config, const Surroundings& around, FdRef channel)
      : config_(config), around_(around), channel_(channel) {}
  HostPid pid() const { return pid_; }
  Result<void> operator()() {
    if (pid_ != HostPid()) return {};
    const Heard go = TRY(expect(channel_, Word::go));
    pid_ = HostPid(static_cast<std::int32_t>(number(go.text).value_or(0)));
    TRY(settle_outside(config_.process, around_.cgroup, asked(config_)));
    if (around_.namespaces.is_fresh(ns::Kind::cgroup)) TRY(sys::unshare(CLONE_NEWCGROUP));
    return {};
  }

 private:
  const Config& config_;
  const Surroundings& around_;
  FdRef channel_;
  HostPid pid_;
};

Result<Fd> make_files(const Config& config, Surroundings& around, FdRef channel, Settling& settle) {
  if (!around.files) {
    TRY(settle());
    return sys::open(cwd, "/", O_PATH | O_DIRECTORY);
  }
  const Hooks& hooks = config.hooks;
  const auto run_both_sides = [&]() -> Result<void> {
    TRY(say(channel, Word::filled));
    TRY(expect(channel, Word::go));
    return run_hooks(hooks.create_container, "createContainer", config, "creating", settle.pid());
  };
  const bool any =
      !hooks.prestart.empty() || !hooks.create_runtime.empty() || !hooks.create_container.empty();
  rootfs::Built built =
      TRY(rootfs::build(config.files, std::move(*around.files), rights(around.namespaces),
                        {.settle = std::ref(settle),
                         .filled = any ? run_both_sides : std::function<Result<void>()>()}));
  for (const std::string& note : built.notes) TRY(say(channel, Word::note, note));
  return std::move(built.root);
}

Result<Fd> make_terminal(const Config& config, FdRef root, FdRef channel, bool own_files) {
  if (!config.process.terminal) return Fd();
  const Fd devpts = TRY(sys::open_in_root(root, "/dev/pts", O_PATH | O_DIRECTORY));
  console::Pty pty = TRY(during("making a terminal", console::open_pty(devpts)));
  if (const auto& size = config.process.console_size)
    TRY(console::set_window_size(pty.master, {.rows = size->rows, .columns = size->columns}));
  const FdRef master = pty.master;
  TRY(say(channel, Word::terminal, {}, std::span(&master, 1)));
  if (own_files) TRY(during("binding /dev/console", rootfs::bind_console(root, pty.slave_path)));
  return std::move(pty.slave);
}

// From here on it is the reaper of the process with whom the container ends.
Result<void> keep_house(const Config& config, const Person& person, Fd& channel, InnerPid command) {
  TRY(drop_privileges(config.process, person.user));
  // The container's own too: a checkpoint can't carry one that is led from outside.
  TRY(sys::new_session());
  // It has nothing of the host's any more, and an ordinary user's umbel must see its namespaces.
  TRY(sys::set_dumpable(true));
  // The channel is the command's alone now: its end of file says that it executes.
  channel.close();
  console::reap_until_end(command);
}

// Somebody outside makes this process bear others, or turns it into the first of them.
Result<void> be_filled(const Config& config, const Person& person, Fd& channel) {
  TRY(say(channel, Word::empty));
  const Heard go = TRY(expect(channel, Word::go));
  return keep_house(config, person, channel,
                    InnerPid(static_cast<std::int32_t>(number(go.text).value_or(0))));
}

Result<void> become(const Config& config, Surroundings& around, Fd& channel) {
  Settling settle_in(config, around, channel);
  if (!around.works_ahead()) TRY(settle_in());
  TRY(apply_settings(config, around.namespaces));
  const bool own_files = around.files.has_value();
  const Fd root = TRY(make_files(config, around, channel, settle_in));
  const Fd terminal = TRY(make_terminal(config, root, channel, own_files));
  const Person person = TRY(settle(config.process, root));
  if (around.revival != nullptr) return be_filled(config, person, channel);
  const Command command{.process = config.process,
                        .asked = asked(config),
                        .person = person,
                        .filter = around.filter,
                        .stdio = around.stdio,
                        .terminal = terminal,
                        .channel = channel,
                        .preserved = around.preserved,
                        .gate = around.gate,
                        .last = [&] {
                          return run_hooks(config.hooks.start_container, "startContainer", config,
                                           "created", settle_in.pid());
                        }};
  if (!config.init || !around.namespaces.is_fresh(ns::Kind::pid)) return Failure(run(command));

  sys::Process child = TRY(sys::start({}, [&] {
    (void)say_error(channel, run(command));
    return 127;
  }));
  return keep_house(config, person, channel, InnerPid(child.pid().value()));
}

}  // namespace

void inside(const Config& config, Surroundings& around, Fd channel) {
  const Result<void> failed = become(config, around, channel);
  if (channel) (void)say_error(channel, failed.error());
  _exit(127);
}

}  // namespace umbel::container
