// The creator of a user namespace has every capability in it from outside (user_namespaces(7)), so
// that the keeper's mount namespace can be entered, and read through /proc/PID/root, without any
// service to ask. Its maps are those that an ordinary user's containers have by default.
#include "ns/keeper.h"

#include <linux/capability.h>
#include <sched.h>
#include <signal.h>

#include "base/packed.h"
#include "base/text.h"
#include "ns/holder.h"
#include "ns/kind.h"
#include "ns/user.h"
#include "proc/stat.h"
#include "sys/capability.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/process.h"

namespace umbel::ns {

namespace {

constexpr const char* record = "keeper";

std::string proc_of(HostPid pid) { return "/proc/" + std::to_string(pid.value()); }

Result<std::uint64_t> start_time(HostPid pid) {
  const std::string text = TRY(sys::read_file(cwd, proc_of(pid) + "/stat"));
  return TRY(proc::parse_stat(text)).start_time;
}

// The child's half. Its parent writes the id maps when it has said "m", and may have died since.
Result<void> settle(FdRef channel, const Settings& settings,
                    const std::function<Result<void>()>& set_up) {
  TRY(sys::send(channel, "m"));
  if (TRY(sys::receive(channel)).closed) return fail("its starter was killed");
  TRY(user::apply(settings));
  TRY(sys::new_session());
  TRY(set_up());
  TRY(sys::send(channel, "+"));
  if (TRY(sys::receive(channel)).closed) return fail("its starter was killed");
  // Whoever started it must be able to look into it (it changed its ids, and lost that).
  return sys::set_dumpable(true);
}

Result<void> introduce(FdRef channel, const sys::Process& child, const Settings& settings) {
  TRY(sys::receive(channel));
  TRY(user::write_maps(child.pid(), settings));
  TRY(sys::send(channel, "M"));
  const sys::Message ready = TRY(sys::receive(channel));
  if (ready.data.starts_with('-')) return Failure(unpacked(std::string_view(ready.data).substr(1)));
  if (ready.closed) return fail("it was killed while it started");
  return {};
}

}  // namespace

bool may_mount() {
  const Result<sys::CapabilitySets> own = sys::capget();
  return own && (own->effective & (std::uint64_t{1} << CAP_SYS_ADMIN)) != 0;
}

Result<std::optional<Keeper>> find_keeper(FdRef home) {
  std::optional<Keeper> found;
  const Result<std::string> text = sys::read_file(home, record);
  if (!text && text.error().code == ENOENT) return found;
  const auto parts = words(TRY(Result<std::string>(text)));
  if (parts.size() != 2) return found;
  const Keeper recorded{.pid = HostPid(static_cast<std::int32_t>(number(parts[0]).value_or(0))),
                        .start_time = unsigned_number(parts[1]).value_or(0)};
  const Result<std::uint64_t> started = start_time(recorded.pid);
  if (started && *started == recorded.start_time) found = recorded;
  return found;
}

Result<Keeper> start_keeper(FdRef home, const std::function<Result<void>()>& set_up) {
  const user::Available maps = TRY(user::available_maps());
  const Settings settings{
      .uid_map = maps.uid_map, .gid_map = maps.gid_map, .deny_setgroups = maps.deny_setgroups};
  sys::Channel channel = TRY(sys::channel());
  sys::Process child =
      TRY(advise("user namespaces may be switched off on this host: umbel info",
                 during("starting the keeper of an ordinary user's names",
                        sys::start({.flags = CLONE_NEWUSER | CLONE_NEWNS}, [&] {
                          channel.ours.close();
                          const Result<void> ready = settle(channel.theirs, settings, set_up);
                          if (ready) hold("umbel-keeper");
                          (void)sys::send(channel.theirs, "-" + packed(ready.error()));
                          return 1;
                        }))));
  channel.theirs.close();
  TRY(during("starting the keeper of an ordinary user's names",
             introduce(channel.ours, child, settings)));
  Keeper keeper{.pid = child.pid()};
  keeper.start_time = TRY(start_time(child.pid()));
  TRY(sys::replace_file(
      home, record,
      std::to_string(keeper.pid.value()) + " " + std::to_string(keeper.start_time) + "\n", 0600));
  TRY(sys::send(channel.ours, "g"));
  (void)child.detach();
  return keeper;
}

Result<void> end_keeper(FdRef home, const Keeper& keeper) {
  const Fd pidfd = TRY(sys::pidfd_open(keeper.pid));
  const Result<std::uint64_t> started = start_time(keeper.pid);
  if (started && *started == keeper.start_time) TRY(sys::pidfd_signal(pidfd, SIGKILL));
  return sys::remove_file(home, record);
}

Result<void> enter_keeper(const Keeper& keeper) {
  const std::string dir = proc_of(keeper.pid) + "/ns/";
  const Fd user = TRY(sys::open(cwd, dir + "user", O_RDONLY));
  const Fd mounts = TRY(sys::open(cwd, dir + "mnt", O_RDONLY));
  TRY(during("entering the keeper's user namespace", sys::setns(user, CLONE_NEWUSER)));
  TRY(user::apply({.deny_setgroups = true}));
  return during("entering the keeper's mount namespace", sys::setns(mounts, CLONE_NEWNS));
}

Result<Brought> beside_keeper(const Keeper& keeper, const std::function<Result<Brought>()>& body) {
  return aside([&]() -> Result<Brought> {
    TRY(enter_keeper(keeper));
    return body();
  });
}

}  // namespace umbel::ns
