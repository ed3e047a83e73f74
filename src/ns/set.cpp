// The kernel's rules for joining (setns(2), each kind's page):
// - it takes CAP_SYS_ADMIN in the user namespace that owns the namespace, and in one's own;
// - a pid namespace can be joined by its ancestors only, and moves the next child, not the caller;
// - one's own user namespace cannot be joined again, and joining another changes all capabilities:
//   what an outer user namespace owns must be joined before, what the inner one owns after.
#include "ns/set.h"

#include <fcntl.h>

#include <vector>

#include "base/text.h"
#include "sys/file.h"

namespace umbel::ns {

namespace {

Result<Fd> open_own(const KindInfo& kind) {
  return sys::open(cwd, "/proc/self/ns/" + std::string(kind.proc), O_RDONLY);
}

Result<bool> same(FdRef a, FdRef b) { return TRY(sys::identity(a)) == TRY(sys::identity(b)); }

Result<void> check_kind(const KindInfo& kind, FdRef ns, const Source& source) {
  const Result<std::uint64_t> found = sys::namespace_kind(ns);
  if (!found)
    return fail(
        "--" + std::string(kind.option) + ": " + source.what + " is no namespace",
        "give a file such as /proc/PID/ns/" + std::string(kind.proc) + " or /run/netns/NAME");
  for (const KindInfo& other : kinds)
    if (*found == other.flag && other.kind != kind.kind)
      return fail("--" + std::string(kind.option) + ": " + source.what + " is a " +
                      std::string(other.proc) + " namespace",
                  "use it with --" + std::string(other.option));
  return {};
}

// Whether `inner` is `outer` or below it.
Result<bool> descends(FdRef inner, FdRef outer) {
  Fd at = TRY(sys::duplicate(inner));
  for (;;) {
    if (TRY(same(at, outer))) return true;
    Result<Fd> parent = sys::namespace_parent(at);
    // EPERM: the parent is outside of what this process may see, or there is none.
    if (!parent && parent.error().code == EPERM) return false;
    at = TRY(std::move(parent));
  }
}

Result<void> check_pid(FdRef ns, const Source& source) {
  const Fd own = TRY(open_own(info(Kind::pid)));
  if (TRY(descends(ns, own))) return {};
  return fail(
      "--pid " + source_text(source) +
          ": the kernel lets a process join only pid namespaces below its own, and this one is not",
      "run umbel where that pid namespace was made, or use --pid new");
}

// setns would answer EPERM: found out before anything was made.
Result<void> check_owner(const KindInfo& kind, FdRef ns, const Source& source, FdRef own_user,
                         FdRef joined_user) {
  const Result<Fd> owner = sys::namespace_owner(ns);
  if (owner && joined_user && TRY(descends(*owner, joined_user))) return {};
  if (owner && TRY(descends(*owner, own_user))) return {};
  return fail(
      "--" + std::string(kind.option) + " " + source_text(source) + ": this " +
          std::string(kind.proc) +
          " namespace is owned by another user namespace, and only CAP_SYS_ADMIN in that one "
          "lets a process join",
      source.from == From::with ? "join its user namespace too: --userns with:" + source.what
      : source.from == From::named
          ? "join its user namespace too: --userns ns:" + std::string(kind.proc) + "/" + source.what
          : "join the user namespace that owns it too, or run umbel as its owner");
}

}  // namespace

Result<Source> parse_source(const KindInfo& kind, std::string_view text) {
  const std::string option = "--" + std::string(kind.option);
  if (text == "new" || text == "private") return Source{From::fresh, {}};
  if (text == "none" && kind.kind == Kind::net) return Source{From::fresh, {}};
  if (text == "host") return Source{From::host, {}};
  for (std::string_view prefix : {"with:", "container:"})
    if (text.starts_with(prefix) && text.size() > prefix.size())
      return Source{From::with, std::string(text.substr(prefix.size()))};
  if (text.starts_with("ns:/")) return Source{From::path, std::string(text.substr(3))};
  if (text.starts_with("ns:") && text.size() > 3)
    return Source{From::named, std::string(text.substr(3))};
  static constexpr std::string_view cure =
      "give new, host, with:CONTAINER, ns:NAME or ns:/PATH (such as ns:/proc/PID/ns/net)";
  static constexpr std::array<std::string_view, 4> known{"new", "host", "with:", "ns:"};
  const auto meant = nearest(text.substr(0, text.find(':')), known);
  return fail(option + " does not know '" + std::string(text) + "'",
              meant ? "did you mean '" + std::string(*meant) + "'? " + std::string(cure)
                    : std::string(cure));
}

std::string source_text(const Source& source) {
  switch (source.from) {
    case From::host:
      return "host";
    case From::fresh:
      return "new";
    case From::with:
      return "with:" + source.what;
    case From::path:
    case From::named:
      return "ns:" + source.what;
  }
  return "?";
}

bool Plan::needs_stage() const {
  for (const KindInfo& kind : kinds)
    if (is_joined(kind.kind)) return true;
  return is_fresh(Kind::time);
}

Result<Plan> plan(const Choices& choices, const Open& open) {
  Plan made;
  for (const KindInfo& kind : kinds) {
    const Source& source = choices[kind.kind];
    if (source.from == From::fresh) made.fresh |= kind.flag;
    if (source.from == From::fresh || source.from == From::host) continue;
    Fd& ns = made.joined.at(index(kind.kind));
    ns = source.from == From::path
             ? TRY(during("--" + std::string(kind.option), sys::open(cwd, source.what, O_RDONLY)))
             : TRY(open(kind, source));
    TRY(check_kind(kind, ns, source));
    const Fd own = TRY(open_own(kind));
    if (TRY(same(ns, own))) ns.close();
  }
  const Fd own_user = TRY(open_own(info(Kind::user)));
  for (const KindInfo& kind : kinds) {
    if (!made.is_joined(kind.kind)) continue;
    const FdRef ns = made.joined.at(index(kind.kind));
    if (kind.kind == Kind::pid) TRY(check_pid(ns, choices[kind.kind]));
    if (kind.kind == Kind::user) continue;
    TRY(check_owner(kind, ns, choices[kind.kind], own_user, made.joined.at(index(Kind::user))));
  }
  return made;
}

Result<void> join_all(const Plan& plan, const std::function<Result<void>()>& enter_user) {
  const FdRef joined_user = plan.joined.at(index(Kind::user));
  std::vector<const KindInfo*> after;
  const auto join = [&](const KindInfo& kind) {
    return during("joining the " + std::string(kind.proc) + " namespace",
                  sys::setns(plan.joined.at(index(kind.kind)), kind.flag));
  };
  for (const KindInfo& kind : kinds) {
    if (!plan.is_joined(kind.kind) || kind.kind == Kind::user) continue;
    if (joined_user) {
      const Result<Fd> owner = sys::namespace_owner(plan.joined.at(index(kind.kind)));
      if (owner && TRY(descends(*owner, joined_user))) {
        after.push_back(&kind);
        continue;
      }
    }
    TRY(join(kind));
  }
  TRY(enter_user());
  for (const KindInfo* kind : after) TRY(join(*kind));
  return {};
}

}  // namespace umbel::ns
