// Facts relied on (capabilities(7), user_namespaces(7)):
// - the kernel's highest number is found by asking: PR_CAPBSET_READ is EINVAL above it;
// - a set can only shrink, except that effective and inheritable may grow up to permitted, and
//   ambient up to what is both permitted and inheritable;
// - a new user namespace begins with everything, so "can't be had" is judged in the process itself.
#include "security/capabilities.h"

#include <linux/capability.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>

#include "base/text.h"
#include "sys/capability.h"

namespace umbel::security {

namespace {

constexpr std::array names = std::to_array<std::string_view>({
    "CAP_CHOWN",  // 0: the place in this list is the number
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
});
static_assert(names[CAP_SYS_ADMIN] == "CAP_SYS_ADMIN");
static_assert(names[CAP_CHECKPOINT_RESTORE] == "CAP_CHECKPOINT_RESTORE");
constexpr std::string_view capability_prefix = "CAP_";

// Calls `each` with the number of every member, lowest first.
void for_each(CapSet set, auto&& each) {
  for (; set != 0; set &= set - 1) each(std::countr_zero(set));
}

enum class Which { known, held };

CapSet bounding(Which which) {
  CapSet set = 0;
  for (int number = 0; number < 64; ++number) {
    const sys::Bit bit = sys::in_bounding_set(number);
    if (bit == sys::Bit::unknown) break;
    if (which == Which::known || bit == sys::Bit::set) set |= capability(number);
  }
  return set;
}

// "CAP_CHOWN and CAP_KILL"
std::string listed(CapSet set) {
  const std::vector<std::string> each = capability_names(set);
  std::string text;
  for (std::size_t i = 0; i < each.size(); ++i) {
    if (i != 0) text += i + 1 == each.size() ? " and " : ", ";
    text += each[i];
  }
  return text;
}

Failure missing(CapSet set, std::string_view why) {
  return fail_with(EPERM, listed(set) + " can't be given: " + std::string(why),
                   "leave it out, or start umbel with it");
}

// What apply() could not do is found before it changes anything.
Result<void> check(const Capabilities& wanted, const sys::CapabilitySets& own) {
  if (const CapSet lacking = wanted.bounding & ~own_bounding())
    return missing(lacking, "this process's bounding set has it not");
  if (const CapSet lacking = wanted.permitted & ~own.permitted)
    return missing(lacking, "this process is not permitted to have it");
  if (const CapSet beyond = wanted.effective & ~wanted.permitted)
    return fail_with(EINVAL, listed(beyond) + " is to be effective without being permitted",
                     "add it to the permitted set");
  if (const CapSet lacking = wanted.inheritable & ~(own.permitted | own.inheritable))
    return missing(lacking, "this process is not permitted to have it");
  if (const CapSet beyond = wanted.inheritable & ~(own.inheritable | wanted.bounding))
    return fail_with(EINVAL, listed(beyond) + " is to be inheritable outside the bounding set",
                     "add it to the bounding set");
  if (const CapSet beyond = wanted.ambient & ~(wanted.permitted & wanted.inheritable))
    return fail_with(EINVAL,
                     listed(beyond) + " is to be ambient without being permitted and inheritable",
                     "add it to the permitted and the inheritable set");
  return {};
}

}  // namespace

Result<CapSet> parse_capability(std::string_view name) {
  std::string wanted(trimmed(name));
  std::ranges::transform(wanted, wanted.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? c - 32 : c; });
  if (wanted == "ALL" || wanted == "CAP_ALL") return own_bounding();
  if (!wanted.starts_with(capability_prefix)) wanted.insert(0, capability_prefix);
  const auto* known = std::ranges::find(names, wanted);
  if (known != names.end()) return capability(static_cast<int>(known - names.begin()));
  const std::optional<std::string_view> meant = nearest(wanted, names);
  return fail("'" + std::string(name) + "' is not a capability",
              meant ? "did you mean " + std::string(*meant) + "?" : "see capabilities(7)");
}

std::vector<std::string> capability_names(CapSet set) {
  std::vector<std::string> made;
  for_each(set, [&](int number) {
    const auto place = static_cast<std::size_t>(number);
    if (place < names.size())
      made.emplace_back(names.at(place));
    else
      made.push_back(std::string(capability_prefix) + std::to_string(number));
  });
  return made;
}

CapSet default_capabilities() {
  static constexpr std::array set{
      CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FSETID,           CAP_FOWNER,
      CAP_MKNOD,   CAP_NET_RAW,      CAP_SETGID,           CAP_SETUID,
      CAP_SETFCAP, CAP_SETPCAP,      CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT,
      CAP_KILL,    CAP_AUDIT_WRITE};
  CapSet made = 0;
  for (const int number : set) made |= capability(number);
  return made;
}

CapSet all_capabilities() { return bounding(Which::known); }

CapSet own_bounding() { return bounding(Which::held); }

Result<Capabilities> own_capabilities() {
  const sys::CapabilitySets sets = TRY(sys::capget());
  Capabilities own{.bounding = own_bounding(),
                   .effective = sets.effective,
                   .inheritable = sets.inheritable,
                   .permitted = sets.permitted};
  for_each(own.permitted & own.inheritable, [&](int number) {
    if (sys::in_ambient_set(number) == sys::Bit::set) own.ambient |= capability(number);
  });
  return own;
}

CapSet restrict_to(CapSet bound, Capabilities& capabilities) {
  CapSet taken = 0;
  for (CapSet* set : {&capabilities.bounding, &capabilities.effective, &capabilities.inheritable,
                      &capabilities.permitted, &capabilities.ambient}) {
    taken |= *set & ~bound;
    *set &= bound;
  }
  return taken;
}

Result<void> drop_bounding(CapSet keep) {
  Result<void> outcome;
  for_each(own_bounding() & ~keep, [&](int number) {
    if (outcome) outcome = sys::drop_from_bounding_set(number);
  });
  return advise("this needs CAP_SETPCAP",
                during("taking capabilities from the bounding set", std::move(outcome)));
}

Result<void> keep_across_user_change() { return sys::keep_capabilities(sys::Keep::yes); }

Result<void> apply(const Capabilities& wanted) {
  const sys::CapabilitySets own = TRY(sys::capget());
  TRY(during("setting capabilities", check(wanted, own)));
  if ((own_bounding() & ~wanted.bounding) != 0) {
    // The change of user left the effective set empty, and the kernel asks it for CAP_SETPCAP.
    TRY(sys::capset(
        {.effective = own.permitted, .permitted = own.permitted, .inheritable = own.inheritable}));
    TRY(drop_bounding(wanted.bounding));
  }
  TRY(sys::clear_ambient_set());
  TRY(sys::capset({.effective = wanted.effective,
                   .permitted = wanted.permitted,
                   .inheritable = wanted.inheritable}));
  Result<void> outcome;
  for_each(wanted.ambient, [&](int number) {
    if (outcome)
      outcome =
          during("making " + listed(capability(number)) + " ambient", sys::raise_ambient(number));
  });
  return outcome;
}

Result<void> rehearse(const Capabilities& wanted) {
  const sys::CapabilitySets own = TRY(sys::capget());
  TRY(during("setting capabilities", check(wanted, own)));
  return sys::capset(
      {.effective = wanted.effective, .permitted = own.permitted, .inheritable = own.inheritable});
}

Result<void> use_all_permitted() {
  sys::CapabilitySets own = TRY(sys::capget());
  own.effective = own.permitted;
  return sys::capset(own);
}

}  // namespace umbel::security
