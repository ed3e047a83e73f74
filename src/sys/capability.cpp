#include "sys/capability.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "sys/call.h"

namespace umbel::sys {

namespace {

// Version 3 has two 32-bit words a set, the lower half first.
using Words = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

std::uint64_t joined(std::uint32_t low, std::uint32_t high) {
  return std::uint64_t{high} << 32 | low;
}

Bit bit(int answer) {
  if (answer < 0) return Bit::unknown;
  return answer == 0 ? Bit::clear : Bit::set;
}

}  // namespace

Result<CapabilitySets> capget() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  Words words{};
  TRY(checked(::syscall(SYS_capget, &header, words.data()), "capget"));
  return CapabilitySets{.effective = joined(words[0].effective, words[1].effective),
                        .permitted = joined(words[0].permitted, words[1].permitted),
                        .inheritable = joined(words[0].inheritable, words[1].inheritable)};
}

Result<void> capset(const CapabilitySets& sets) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  Words words{};
  for (std::size_t i = 0; i < words.size(); ++i) {
    words.at(i).effective = static_cast<std::uint32_t>(sets.effective >> (32 * i));
    words.at(i).permitted = static_cast<std::uint32_t>(sets.permitted >> (32 * i));
    words.at(i).inheritable = static_cast<std::uint32_t>(sets.inheritable >> (32 * i));
  }
  return checked(::syscall(SYS_capset, &header, words.data()), "capset");
}

Bit in_bounding_set(int capability) { return bit(::prctl(PR_CAPBSET_READ, capability, 0, 0, 0)); }

Bit in_ambient_set(int capability) {
  return bit(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0));
}

Result<void> drop_from_bounding_set(int capability) {
  return checked(::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "prctl", "PR_CAPBSET_DROP");
}

Result<void> clear_ambient_set() {
  return checked(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "prctl",
                 "PR_CAP_AMBIENT_CLEAR_ALL");
}

Result<void> raise_ambient(int capability) {
  return checked(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0), "prctl",
                 "PR_CAP_AMBIENT_RAISE");
}

Result<void> keep_capabilities(Keep keep) {
  return checked(::prctl(PR_SET_KEEPCAPS, keep == Keep::yes ? 1 : 0, 0, 0, 0), "prctl",
                 "PR_SET_KEEPCAPS");
}

}  // namespace umbel::sys
