// How a limit of v1, in whose terms the OCI specification speaks, is said to cgroup2. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace umbel::cgroup {

// "max" for a negative number.
std::string or_max(std::int64_t value);
// 2..262144 with the default 1024 to 1..10000 with the default 100.
std::uint64_t weight_of_shares(std::uint64_t shares);
// 10..1000 to 1..10000.
std::uint64_t io_weight_of(std::uint64_t weight);
// The limit of swap alone, from that of memory and swap together and that of memory.
Result<std::string> swap_alone(std::int64_t both, std::int64_t memory);

// "8:0 VALUE"
std::string device_line(const auto& device, const std::string& value) {
  return std::to_string(device.major) + ":" + std::to_string(device.minor) + " " + value;
}

}  // namespace umbel::cgroup
