#include "sys/scheduling.h"

#include <sched.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "sys/call.h"

namespace umbel::sys {

namespace {

constexpr int ioprio_who_process = 1;
constexpr unsigned bits = sizeof(unsigned long) * CHAR_BIT;

}  // namespace

Result<SchedulingAttributes> get_scheduling() {
  SchedulingAttributes found;
  TRY(checked(::syscall(SYS_sched_getattr, 0, &found, sizeof found, 0), "sched_getattr"));
  return found;
}

Result<void> set_scheduling(const SchedulingAttributes& attributes) {
  return checked(::syscall(SYS_sched_setattr, 0, &attributes, 0), "sched_setattr");
}

Result<int> get_io_priority() {
  return checked_int(::syscall(SYS_ioprio_get, ioprio_who_process, 0), "ioprio_get");
}

Result<void> set_io_priority(int value) {
  return checked(::syscall(SYS_ioprio_set, ioprio_who_process, 0, value), "ioprio_set");
}

Result<std::vector<unsigned>> get_affinity() {
  // The kernel refuses a mask shorter than its own; 8192 is the most that it can be built for.
  std::vector<unsigned long> mask(8192 / bits);
  const int bytes = TRY(checked_int(
      ::syscall(SYS_sched_getaffinity, 0, mask.size() * sizeof(unsigned long), mask.data()),
      "sched_getaffinity"));
  std::vector<unsigned> cpus;
  for (unsigned cpu = 0; cpu < static_cast<unsigned>(bytes) * CHAR_BIT; ++cpu)
    if ((mask[cpu / bits] >> (cpu % bits) & 1) != 0) cpus.push_back(cpu);
  return cpus;
}

Result<void> set_affinity(const std::vector<unsigned>& cpus) {
  const unsigned most = cpus.empty() ? 0 : *std::ranges::max_element(cpus);
  std::vector<unsigned long> mask(most / bits + 1);
  for (const unsigned cpu : cpus) mask[cpu / bits] |= 1UL << (cpu % bits);
  return checked(
      ::syscall(SYS_sched_setaffinity, 0, mask.size() * sizeof(unsigned long), mask.data()),
      "sched_setaffinity");
}

Result<std::uint32_t> get_personality() {
  return static_cast<std::uint32_t>(TRY(checked_int(::personality(0xffffffff), "personality")));
}

Result<void> set_personality(std::uint32_t persona) {
  return checked(::personality(persona), "personality");
}

}  // namespace umbel::sys
