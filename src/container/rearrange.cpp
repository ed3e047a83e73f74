// Order in enter(): a namespace that an outer user namespace owns must be joined before the
// container's own user namespace, in which all rights over it are lost; one that the container's
// owns only after.
#include "container/rearrange.h"

#include <fcntl.h>

#include <algorithm>
#include <array>

#include "container/start.h"
#include "ns/aside.h"
#include "ns/named.h"
#include "ns/sysctl.h"
#include "ns/user.h"
#include "sys/file.h"
#include "sys/namespace.h"

namespace umbel::container {

namespace {

struct Fixed {
  ns::Kind kind;
  std::string_view rule;
};
constexpr std::array fixed = std::to_array<Fixed>({
    {ns::Kind::pid,
     "the kernel gives a process its pid namespace at birth, and setns(2) moves only children that "
     "are born later"},
    {ns::Kind::user,
     "setns(2) moves the calling process alone, and what its processes own belongs to the user "
     "namespace that they are in"},
    {ns::Kind::time,
     "the kernel lets a process enter a time namespace only by its own setns(2) or at birth, and "
     "clocks that differ within a container would tell its processes different times"},
});

const ns::KindInfo& kind_of(const std::string& option) { return ns::info(*ns::kind_named(option)); }

Result<void> check_running(const Container& container, const ns::KindInfo& kind) {
  for (const Fixed& one : fixed)
    if (one.kind == kind.kind)
      return fail(container.name() + " runs, and its " + std::string(kind.proc) +
                      " namespace cannot be changed: " + std::string(one.rule),
                  "stop it first, change it, and start it again: umbel stop " + container.name());
  return {};
}

// What a new namespace of its own needs and a container that never had one lacks.
Result<void> check_next_start(const Config& config, const ns::KindInfo& kind,
                              const ns::Source& source) {
  if (source.from != ns::From::fresh) return {};
  if (kind.kind == ns::Kind::mnt && config.files.mounts.empty())
    return fail(config.name + " was made without files of its own, so that it can't get any now",
                "make another one: umbel create --mnt new");
  if (kind.kind == ns::Kind::user && config.settings.uid_map.empty())
    return fail(
        config.name + " was made without id maps, so that it can't get a user namespace now",
        "make another one: umbel create --userns new");
  return {};
}

// A running container's new namespace has nobody in it yet, and so needs a name to live by.
Result<ns::Source> made(const Container& container, const ns::KindInfo& kind) {
  const ns::Names names = TRY(ns::Names::open(TRY(container.home()).path()));
  ns::Recipe recipe{.kind = kind.kind, .settings = container.config.settings};
  ns::Settings& set = recipe.settings;
  if (kind.kind != ns::Kind::uts) set.hostname = set.domainname = std::nullopt;
  if (kind.kind != ns::Kind::net) set.links = {}, set.addresses = {}, set.routes = {};
  set.monotonic_offset = set.boottime_offset = std::nullopt;
  set.uid_map.clear();
  set.gid_map.clear();
  std::erase_if(set.sysctls,
                [&](const auto& entry) { return ns::sysctl_owner(entry.first) != kind.kind; });
  if (kind.kind == ns::Kind::mnt) recipe.files = container.config.files;
  const ns::Name made_name = TRY(names.create(recipe, container.name()));
  return ns::Source{ns::From::named, made_name.name};
}

struct Change {
  const ns::KindInfo* kind;
  ns::Source source;
  bool new_name = false;
};

Result<Change> change(const Container& container, const ns::KindInfo& kind, ns::Source source) {
  Change made_change{.kind = &kind, .source = std::move(source)};
  if (!container.is_running()) {
    TRY(check_next_start(container.config, kind, made_change.source));
    return made_change;
  }
  TRY(check_running(container, kind));
  if (made_change.source.from == ns::From::fresh) {
    TRY(check_next_start(container.config, kind, made_change.source));
    made_change.source = TRY(made(container, kind));
    made_change.new_name = true;
  }
  return made_change;
}

// As the kernel would when a process joins it.
Result<void> check_joinable(const Container& container, const Moves& moves) {
  const Home home = TRY(container.home());
  ns::Choices wanted;
  for (const auto& [option, source] : moves) {
    if (source.from == ns::From::with && source.what == container.name())
      return fail("--" + option + " with:" + source.what + ": that is the container itself");
    wanted[kind_of(option).kind] = source;
  }
  const ns::Source& user = container.config.namespaces[ns::Kind::user];
  if (user.from == ns::From::with || user.from == ns::From::named) wanted[ns::Kind::user] = user;
  TRY(ns::plan(wanted, [&](const ns::KindInfo& kind, const ns::Source& source) {
    return open_source(home, kind, source);
  }));
  return {};
}

// What the kernel will say to the next process, asked now.
Result<void> rehearse(const Container& container) {
  const Fd init = TRY(container.init());
  const std::uint64_t join = TRY(differing(container.state.init.pid));
  const Elsewhere moved = TRY(elsewhere(container));
  const Result<ns::Brought> entered = ns::aside([&]() -> Result<ns::Brought> {
    TRY(enter(init, join, moved));
    return ns::Brought();
  });
  if (entered) return {};
  return advise(
      "as an ordinary user umbel can move a container only among the namespaces that its own user "
      "namespace owns",
      Result<void>(Failure(entered.error())));
}

std::vector<std::string> notes_of(const Container& container, const std::vector<Change>& changes) {
  std::vector<std::string> notes;
  bool files = false;
  for (const Change& one : changes) {
    files = files || one.kind->kind == ns::Kind::mnt;
    if (one.new_name)
      notes.push_back("made the namespace " + std::string(one.kind->proc) + "/" + container.name() +
                      " for it; it stays when the container goes: umbel ns rm");
  }
  if (!container.is_running()) return notes;
  notes.push_back("the processes that " + container.name() +
                  " has stay where they are, since the kernel lets none be moved by another; umbel "
                  "exec and the next start go there");
  if (files) notes.emplace_back("/proc of the other files may show another pid namespace");
  return notes;
}

}  // namespace

Result<std::vector<std::string>> rearrange(Container& container, const Moves& moves) {
  TRY(check_joinable(container, moves));
  std::vector<Change> changes;
  const auto all = [&]() -> Result<void> {
    for (const auto& [option, source] : moves)
      changes.push_back(TRY(change(container, kind_of(option), source)));
    const bool running = container.is_running();
    for (const Change& one : changes) {
      container.config.namespaces[one.kind->kind] = one.source;
      if (running) container.state.moved[std::string(one.kind->option)] = one.source;
    }
    if (running) TRY(rehearse(container));
    TRY(container.save_config());
    return container.save_state();
  }();
  if (all) return notes_of(container, changes);
  for (const Change& one : changes) {
    if (!one.new_name) continue;
    const ns::Names names = TRY(ns::Names::open(TRY(container.home()).path()));
    if (const Result<ns::Name> name = names.find(one.kind->kind, one.source.what))
      (void)names.remove(*name);
  }
  return Failure(all.error());
}

Result<std::uint64_t> differing(HostPid pid) {
  std::uint64_t flags = 0;
  const std::string theirs = "/proc/" + std::to_string(pid.value()) + "/ns/";
  for (const ns::KindInfo& kind : ns::kinds) {
    const Fd own = TRY(sys::open(cwd, "/proc/self/ns/" + std::string(kind.proc), O_PATH));
    const Fd other = TRY(sys::open(cwd, theirs + std::string(kind.proc), O_PATH));
    if (TRY(sys::identity(own)) != TRY(sys::identity(other))) flags |= kind.flag;
  }
  return flags;
}

Result<Elsewhere> elsewhere(const Container& container) {
  Elsewhere found;
  if (container.state.moved.empty()) return found;
  const Home home = TRY(container.home());
  for (const auto& [option, source] : container.state.moved) {
    const ns::KindInfo& kind = kind_of(option);
    found.kinds |= kind.flag;
    if (source.from == ns::From::host) continue;
    Fd ns = source.from == ns::From::path
                ? TRY(during("--" + option, sys::open(cwd, source.what, O_RDONLY)))
                : TRY(open_source(home, kind, source));
    found.joined.push_back({&kind, std::move(ns)});
  }
  return found;
}

Result<void> enter(FdRef init, std::uint64_t join, const Elsewhere& elsewhere) {
  std::vector<const Elsewhere::One*> later;
  for (const Elsewhere::One& one : elsewhere.joined)
    if (!sys::setns(one.ns, one.kind->flag)) later.push_back(&one);
  const std::uint64_t left = join & ~elsewhere.kinds;
  if (left != 0) TRY(during("entering the container", sys::setns(init, left)));
  if ((left & CLONE_NEWUSER) != 0) TRY(ns::info(ns::Kind::user).apply({.deny_setgroups = true}));
  for (const Elsewhere::One* one : later)
    TRY(during("joining the " + std::string(one->kind->proc) + " namespace",
               sys::setns(one->ns, one->kind->flag)));
  return {};
}

}  // namespace umbel::container
