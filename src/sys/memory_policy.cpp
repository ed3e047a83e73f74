// Without the library libnuma, for two calls. The kernel takes the number of bits plus one, since
// it subtracts one (a mistake that became the interface), and refuses masks longer than its own
// only where a bit beyond it is set.
#include "sys/memory_policy.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>

#include "sys/call.h"

namespace umbel::sys {

namespace {

constexpr unsigned bits = sizeof(unsigned long) * CHAR_BIT;
constexpr unsigned most_nodes = 1024;  // the most that the kernel can be built for

using Mask = std::array<unsigned long, most_nodes / bits>;

}  // namespace

Result<MemoryPolicy> get_memory_policy() {
  MemoryPolicy found;
  Mask mask{};
  TRY(checked(::syscall(SYS_get_mempolicy, &found.mode, mask.data(), most_nodes, nullptr, 0),
              "get_mempolicy"));
  for (unsigned node = 0; node < most_nodes; ++node)
    if ((mask.at(node / bits) >> (node % bits) & 1) != 0) found.nodes.push_back(node);
  return found;
}

Result<void> set_memory_policy(const MemoryPolicy& policy) {
  Mask mask{};
  for (const unsigned node : policy.nodes) {
    if (node >= most_nodes) return fail_with(EINVAL, "there is no node " + std::to_string(node));
    mask.at(node / bits) |= 1UL << (node % bits);
  }
  const bool any = !policy.nodes.empty();
  return checked(::syscall(SYS_set_mempolicy, policy.mode, any ? mask.data() : nullptr,
                           any ? most_nodes + 1 : 0),
                 "set_mempolicy");
}

}  // namespace umbel::sys
