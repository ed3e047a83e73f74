// A process of its own (the maker) unshares the namespace, gives it its settings from inside, sends
// its descriptor and ends. A pid namespace exists only with a first process (before, its
// pid_for_children can't be opened; after, fork is ENOMEM), so that for this kind the maker gives
// birth to a holder, as the caller's child.
#include "ns/make.h"

#include <sched.h>

#include <array>

#include "base/packed.h"
#include "ns/aside.h"
#include "ns/holder.h"
#include "ns/net.h"
#include "ns/sysctl.h"
#include "ns/time.h"
#include "ns/user.h"
#include "rootfs/rootfs.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/netlink.h"
#include "sys/scheduling.h"

namespace umbel::ns {

namespace {

struct Workshop {
  const Recipe& recipe;
  FdRef owner;
  FdRef outside;  // a netlink socket of the caller's network namespace
  const rootfs::Spec& spec;
  rootfs::Prepared* files;
  FdRef channel;
};

// Becomes root of the user namespace that is to own it.
Result<void> enter_owner(FdRef owner) {
  if (!owner) return {};
  TRY(during("entering the user namespace that shall own it", sys::setns(owner, CLONE_NEWUSER)));
  return user::apply({.deny_setgroups = true});
}

Result<Brought> send_self(std::string_view file) {
  Brought made;
  made.fds.push_back(TRY(sys::open(cwd, "/proc/self/ns/" + std::string(file), O_RDONLY)));
  return made;
}

Result<Brought> make_user(const Workshop& shop) {
  TRY(during("making a user namespace", sys::unshare(CLONE_NEWUSER)));
  Brought made = TRY(send_self("user"));
  if (shop.owner) {
    // Its maps are written from inside of the owner, whose root may open only what is dumpable; and
    // may then look into this process too, which therefore keeps nothing of the caller's open.
    const std::array<FdRef, 2> keep{shop.channel, made.fds[0]};
    TRY(sys::close_all_but(0, keep));
    TRY(sys::set_dumpable(true));
  }
  TRY(sys::send(shop.channel, "m"));
  if (TRY(sys::receive(shop.channel)).closed) return fail("umbel was killed");
  return made;
}

// Its offsets are frozen as soon as it has a process.
Result<Brought> make_time(const Workshop& shop) {
  TRY(during("making a time namespace", sys::unshare(CLONE_NEWTIME)));
  TRY(time::apply(shop.recipe.settings));
  return send_self("time_for_children");
}

Result<Brought> make_mnt(const Workshop& shop) {
  TRY(during("making a mount namespace", sys::unshare(CLONE_NEWNS)));
  Brought made = TRY(send_self("mnt"));
  const bool outer = !shop.owner;
  const rootfs::Rights rights{.pid_owned = outer,
                              .net_owned = outer,
                              .ipc_owned = outer,
                              .cgroup_owned = outer,
                              .user_new = !outer,
                              .cgroup_new = false};
  TRY(rootfs::build(shop.spec, std::move(*shop.files), rights));
  return made;
}

Result<Brought> make_net(const Workshop& shop) {
  TRY(during("making a network namespace", sys::unshare(CLONE_NEWNET)));
  TRY(net::apply(shop.recipe.settings));
  TRY(net::wire(shop.recipe.settings, shop.outside));
  return send_self("net");
}

Result<Brought> make_plain(const Workshop& shop) {
  const KindInfo& kind = info(shop.recipe.kind);
  TRY(during("making a new " + std::string(kind.proc) + " namespace", sys::unshare(kind.flag)));
  TRY(kind.apply(shop.recipe.settings));
  return send_self(kind.proc);
}

Result<void> hold_pids(const Workshop& shop) {
  sys::Process born =
      TRY(during("making a pid namespace", sys::clone3({.flags = CLONE_NEWPID | CLONE_PARENT})));
  if (!born) {
    const Result<sys::Message> word = sys::receive(shop.channel);
    if (!word || word->closed) _exit(0);
    (void)sys::new_session();
    // Its maker's rights are no business of whoever is born here.
    (void)sys::set_dumpable(false);
    hold("umbel-holder");
  }
  const Fd pidfd = born.detach();
  const FdRef sent = pidfd;
  return sys::send(shop.channel, "b", std::span(&sent, 1));
}

using Maker = Result<Brought> (*)(const Workshop&);
Maker maker_of(Kind kind) {
  switch (kind) {
    case Kind::user:
      return make_user;
    case Kind::time:
      return make_time;
    case Kind::mnt:
      return make_mnt;
    case Kind::net:
      return make_net;
    default:
      return make_plain;
  }
}

Result<void> work(const Workshop& shop) {
  TRY(enter_owner(shop.owner));
  if (shop.recipe.kind == Kind::pid) return hold_pids(shop);
  const Brought made = TRY(maker_of(shop.recipe.kind)(shop));
  const FdRef sent = made.fds.at(0);
  return sys::send(shop.channel, "+", std::span(&sent, 1));
}

// The settings that the recipe has and its kind has not.
Result<void> check(const Recipe& recipe) {
  const Settings& set = recipe.settings;
  struct Needs {
    std::string_view what;
    bool given;
    Kind kind;
  };
  const auto needs = std::to_array<Needs>({
      {"a host name", set.hostname.has_value(), Kind::uts},
      {"a domain name", set.domainname.has_value(), Kind::uts},
      {"an id map", !set.uid_map.empty() || !set.gid_map.empty(), Kind::user},
      {"a time offset", set.monotonic_offset || set.boottime_offset, Kind::time},
      {"a link", !set.links.empty(), Kind::net},
      {"an address", !set.addresses.empty(), Kind::net},
      {"a route", !set.routes.empty(), Kind::net},
      {"a root file system", recipe.files.has_value(), Kind::mnt},
  });
  for (const Needs& need : needs)
    if (need.given && need.kind != recipe.kind)
      return fail(std::string(need.what) + " belongs to a namespace of kind " +
                      std::string(info(need.kind).proc) + ", not " +
                      std::string(info(recipe.kind).proc),
                  "make one of that kind for it");
  for (const auto& [name, value] : set.sysctls) {
    const std::optional<Kind> owner = sysctl_owner(name);
    if (owner && *owner == recipe.kind) continue;
    return fail(owner
                    ? "the kernel parameter " + name + " belongs to a namespace of kind " +
                          std::string(info(*owner).proc)
                    : "the kernel parameter " + name + " belongs to no namespace: it is the host's",
                "leave it out");
  }
  return {};
}

// A map is written by a process of the parent namespace (user_namespaces(7)).
Result<void> write_maps(HostPid maker, const Recipe& recipe, FdRef owner) {
  if (!owner) return user::write_maps(maker, recipe.settings);
  const Result<Brought> written = aside([&]() -> Result<Brought> {
    TRY(enter_owner(owner));
    TRY(user::write_maps(maker, recipe.settings));
    return Brought();
  });
  if (!written) return Failure(written.error());
  return {};
}

Result<Made> finish(const Recipe& recipe, FdRef owner, sys::Process maker, Fd channel) {
  for (;;) {
    sys::Message heard = TRY(sys::receive(channel));
    if (heard.closed || heard.data.empty())
      return fail("the process that was to make the namespace was killed");
    if (heard.data == "m") {
      TRY(write_maps(maker.pid(), recipe, owner));
      TRY(sys::send(channel, "M"));
      continue;
    }
    if (heard.data[0] == '-') return Failure(unpacked(std::string_view(heard.data).substr(1)));
    if (heard.fds.size() != 1) return fail("the maker of the namespace said the wrong thing");
    TRY(maker.wait());
    if (heard.data[0] == '+') return Made{.ns = std::move(heard.fds[0])};
    const HostPid pid = TRY(sys::pid_behind(heard.fds[0]));
    sys::Process holder(pid, std::move(heard.fds[0]));
    Fd ns = TRY(sys::open(cwd, "/proc/" + std::to_string(pid.value()) + "/ns/pid", O_RDONLY));
    return Made{.ns = std::move(ns), .holder = std::move(holder), .channel = std::move(channel)};
  }
}

}  // namespace

Result<Made> make(const Recipe& recipe, FdRef owner, std::optional<unsigned> processor) {
  TRY(check(recipe));
  rootfs::Prepared files;
  rootfs::Spec spec;
  if (recipe.kind == Kind::mnt) {
    if (!recipe.files) return fail("a mount namespace needs files to show");
    spec = *recipe.files;
    // It shows the ipc namespace of who mounts it, which takes rights over that one.
    if (owner) std::erase_if(spec.mounts, [](const auto& m) { return m.type == "mqueue"; });
    files = TRY(rootfs::prepare(spec));
  }
  const Fd outside = TRY(sys::open_netlink());
  sys::Channel channel = TRY(sys::channel());
  sys::Process maker = TRY(sys::start({}, [&] {
    channel.ours.close();
    if (processor) (void)sys::set_affinity({*processor});
    const Result<void> done = work({recipe, owner, outside, spec, &files, channel.theirs});
    if (!done) (void)sys::send(channel.theirs, "-" + packed(done.error()));
    return 0;
  }));
  channel.theirs.close();
  return finish(recipe, owner, std::move(maker), std::move(channel.ours));
}

Result<void> keep(Made& made) {
  if (!made.holder) return {};
  TRY(sys::send(made.channel, "k"));
  (void)made.holder.detach();
  return {};
}

}  // namespace umbel::ns
