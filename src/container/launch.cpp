// Nothing of the container may outlive a launcher that is killed before it recorded it: init waits
// for the word go, and ends when the channel closes without it. From then on the record can find
// it.
#include "container/launch.h"

#include <unistd.h>

#include "container/inside.h"
#include "container/listener.h"
#include "container/talk.h"
#include "ns/time.h"
#include "ns/user.h"
#include "sys/channel.h"

namespace umbel::container {

namespace {

std::uint64_t flags_of_clone(const ns::Plan& plan) {
  std::uint64_t flags = 0;
  for (const ns::KindInfo& kind : ns::kinds)
    if (kind.by_clone) flags |= plan.fresh & kind.flag;
  return flags;
}

// Born in its cgroup where that is possible from outside (cgroup2); it enters the hierarchies of
// version 1 itself, which spares the wait for an RCU grace period that moving another process
// costs.
Result<sys::Clone> clone_of(const Surroundings& around) {
  sys::Clone how{.flags = flags_of_clone(around.namespaces)};
  if (around.cgroup != nullptr) how.cgroup = TRY(around.cgroup->directory());
  return how;
}

// The stage: everything up to the birth of init, which becomes the launcher's child, not its own.
Result<void> stage(const Config& config, Surroundings& around, Fd& channel) {
  const ns::Plan& plan = around.namespaces;
  const auto enter_user = [&]() -> Result<void> {
    if (plan.is_joined(ns::Kind::user)) {
      TRY(during("joining the user namespace",
                 sys::setns(plan.joined.at(ns::index(ns::Kind::user)), CLONE_NEWUSER)));
      return {};
    }
    if (!plan.is_fresh(ns::Kind::user)) return {};
    TRY(during("making a user namespace", sys::unshare(CLONE_NEWUSER)));
    TRY(say(channel, Word::map));
    TRY(expect(channel, Word::mapped));
    // Still the caller's user, who may open the cgroup; init becomes the root of it later.
    return {};
  };
  TRY(ns::join_all(plan, enter_user));
  if (plan.is_fresh(ns::Kind::time)) {
    TRY(during("making a time namespace", sys::unshare(CLONE_NEWTIME)));
    TRY(ns::time::apply(config.settings));
  }
  const sys::Clone how{.flags =
                           (flags_of_clone(plan) & ~std::uint64_t{CLONE_NEWUSER}) | CLONE_PARENT};
  sys::Process init = TRY(during("making the namespaces", sys::clone3(how)));
  if (!init) inside(config, around, std::move(channel));
  const Fd pidfd = init.detach();
  const FdRef sent = pidfd;
  return say(channel, Word::born, {}, std::span(&sent, 1));
}

Result<sys::Process> start_by_stage(const Config& config, Surroundings& around, Fd& ours,
                                    Fd& theirs) {
  // Into its cgroup2 directory, which init inherits.
  sys::Clone born;
  if (around.cgroup != nullptr) born.cgroup = TRY(around.cgroup->directory());
  sys::Process helper = TRY(sys::start(born, [&] {
    ours.close();  // or a launcher that dies would never read as end of file
    const Result<void> done = stage(config, around, theirs);
    if (!done) (void)say_error(theirs, done.error());
    return 0;
  }));
  theirs.close();
  for (;;) {
    Heard heard = TRY(hear(ours));
    if (heard.closed) return fail("the process that was to join the namespaces was killed");
    if (heard.word == Word::map) {
      TRY(ns::user::write_maps(helper.pid(), config.settings));
      TRY(say(ours, Word::mapped));
      continue;
    }
    if (heard.word != Word::born || heard.fds.size() != 1)
      return fail("the stage said the wrong thing");
    const HostPid pid = TRY(sys::pid_behind(heard.fds[0]));
    sys::Process init(pid, std::move(heard.fds[0]));
    TRY(helper.wait());
    return init;
  }
}

Result<sys::Process> start_directly(const Config& config, Surroundings& around, Fd& ours,
                                    Fd& theirs) {
  const sys::Clone how = TRY(clone_of(around));
  sys::Process init = TRY(advise("as an ordinary user, add --userns new",
                                 during("making the namespaces", sys::clone3(how))));
  if (!init) {
    ours.close();
    inside(config, around, std::move(theirs));
  }
  theirs.close();
  if (around.namespaces.is_fresh(ns::Kind::user))
    TRY(ns::user::write_maps(init.pid(), config.settings));
  return init;
}

// One that has ended has said why, and is heard next.
Result<void> tell(FdRef channel, Word word, std::string_view text = {}) {
  Result<void> said = say(channel, word, text);
  if (!said && said.error().code == EPIPE) return {};
  return said;
}

}  // namespace

Result<Launched> launch(const Config& config, Surroundings& around,
                        const std::function<Result<void>(HostPid)>& born) {
  sys::Channel channel = TRY(sys::channel());
  const auto begin = around.namespaces.needs_stage() ? start_by_stage : start_directly;
  Launched launched;
  launched.init = TRY(begin(config, around, channel.ours, channel.theirs));
  const HostPid pid = launched.init.pid();
  TRY(born(pid));
  launched.devices = TRY(LentDevices::lend(config.net_devices, pid));
  TRY(tell(channel.ours, Word::go, std::to_string(pid.value())));
  for (bool ready = false;;) {
    Heard heard = TRY(hear(channel.ours));
    if (heard.closed && ready) return launched;
    if (heard.closed)
      return fail("the container's first process was killed while it was set up",
                  "if memory is limited, the limit may be too low to start anything");
    if (heard.word == Word::ready) ready = true;
    if (heard.word == Word::filled) {
      TRY(run_hooks(config.hooks.prestart, "prestart", config, "creating", pid));
      TRY(run_hooks(config.hooks.create_runtime, "createRuntime", config, "creating", pid));
      TRY(tell(channel.ours, Word::go));
    }
    if (heard.word == Word::empty) {
      const InnerPid first = TRY(around.revival->fill(
          {.init = pid, .stdio = around.stdio, .terminal = launched.terminal}));
      ready = true;
      if (around.revival->role == Revival::Role::reaper)
        TRY(tell(channel.ours, Word::go, std::to_string(first.value())));
    }
    if (heard.word == Word::listener)
      TRY(hand_on_listener(channel.ours, heard, config, "creating", pid));
    if (heard.word == Word::note) launched.notes.push_back(std::move(heard.text));
    if (heard.word == Word::terminal && heard.fds.size() == 1)
      launched.terminal = std::move(heard.fds[0]);
  }
}

}  // namespace umbel::container
