// How the calling thread is scheduled: sched_setattr(2), ioprio_set(2), sched_setaffinity(2),
// personality(2).
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"

namespace umbel::sys {

// struct sched_attr of the kernel, version 1 (Linux 5.3), which glibc 2.36 does not declare.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0, deadline = 0, period = 0;  // nanoseconds
  std::uint32_t util_min = 0, util_max = 0;
};
static_assert(sizeof(SchedulingAttributes) == 56);

Result<SchedulingAttributes> get_scheduling();
Result<void> set_scheduling(const SchedulingAttributes& attributes);
// The class in the bits from io_class_shift on, the level below. <linux/ioprio.h> has these too,
// but names a parameter `class` from Debian's 6.1.192 on.
constexpr int io_class_shift = 13;
constexpr int io_class_realtime = 1, io_class_best_effort = 2, io_class_idle = 3;
Result<int> get_io_priority();
Result<void> set_io_priority(int value);
Result<std::vector<unsigned>> get_affinity();
Result<void> set_affinity(const std::vector<unsigned>& cpus);
Result<std::uint32_t> get_personality();
Result<void> set_personality(std::uint32_t persona);

}  // namespace umbel::sys
