// From which NUMA nodes the calling thread's memory comes: set_mempolicy(2).
#pragma once

#include <vector>

#include "base/error.h"

namespace umbel::sys {

struct MemoryPolicy {
  int mode = 0;  // MPOL_* with its MPOL_F_* flags
  std::vector<unsigned> nodes;
};
// ENOSYS where the kernel was built without NUMA.
Result<MemoryPolicy> get_memory_policy();
Result<void> set_memory_policy(const MemoryPolicy& policy);

}  // namespace umbel::sys
