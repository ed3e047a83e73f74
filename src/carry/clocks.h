// The clocks of a container with a time namespace of its own go on where they were.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/id.h"
#include "ns/settings.h"

namespace umbel::carry {

// CLOCK_MONOTONIC and CLOCK_BOOTTIME inside, in nanoseconds.
struct Clocks {
  std::int64_t monotonic = 0, boottime = 0;
};
void fields(auto& archive, Clocks& c) {
  archive("monotonic", c.monotonic);
  archive("boottime", c.boottime);
}

Result<Clocks> capture_clocks(HostPid process);
// The offsets by which they show now what they showed then.
Result<void> apply_clocks(const Clocks& clocks, ns::Settings& settings);

}  // namespace umbel::carry
