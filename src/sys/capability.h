// The capability sets of the calling thread: capabilities(7). Called directly, without libcap: it
// would add 29 KB to a static program and seven system calls to each of its starts.
#pragma once

#include <cstdint>

#include "base/error.h"

namespace umbel::sys {

struct CapabilitySets {
  std::uint64_t effective = 0, permitted = 0, inheritable = 0;
};
Result<CapabilitySets> capget();
Result<void> capset(const CapabilitySets& sets);

// For a loop over all numbers, which ends at the first unknown one.
enum class Bit { clear, set, unknown };  // unknown: this kernel has no such capability
Bit in_bounding_set(int capability);
Bit in_ambient_set(int capability);
Result<void> drop_from_bounding_set(int capability);
Result<void> clear_ambient_set();
Result<void> raise_ambient(int capability);
// Whether the permitted set outlives the change from user 0 to another (PR_SET_KEEPCAPS).
enum class Keep { no, yes };
Result<void> keep_capabilities(Keep keep);

}  // namespace umbel::sys
