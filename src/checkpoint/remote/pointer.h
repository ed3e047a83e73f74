// Addresses and descriptor numbers that mean something in another process only.
#pragma once

#include <cstdint>

#include "base/id.h"

namespace umbel::checkpoint::remote {

// An address in a target; never dereferenced here.
using Pointer = Id<struct RemotePointerTag, std::uint64_t>;
// A descriptor number of a target.
using Descriptor = Id<struct RemoteDescriptorTag, std::int32_t>;

constexpr std::uint64_t page = 4096;

constexpr std::uint64_t page_up(std::uint64_t size) { return (size + page - 1) / page * page; }

}  // namespace umbel::checkpoint::remote
