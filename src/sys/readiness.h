// Descriptors that tell when something is ready: epoll(7), timerfd_create(2), signalfd(2).
#pragma once

#include <cstdint>

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"

namespace umbel::sys {

Result<Fd> epoll();
// A slot of an epoll instance: `turn` counts those of the same number, which differ in their file.
struct EpollSlot {
  HostPid pid;  // that has the epoll instance
  int epoll = -1;
  int target = -1;
  unsigned turn = 0;
};
// Whether the slot watches the file that process `pid` has as `number`. Linux 4.13.
Result<bool> watches(const EpollSlot& slot, HostPid pid, int number);

Result<Fd> timer_descriptor(int clock);
struct TimerSetting {
  std::int64_t interval_seconds = 0, interval_nanoseconds = 0, seconds = 0, nanoseconds = 0;
};
// Time left. What has gone off meanwhile is counted up to now, and stays to be read.
Result<TimerSetting> timer_setting(FdRef timer);
Result<void> set_timer(FdRef timer, const TimerSetting& setting, int flags);
// How often it has gone off, unread. Needs CONFIG_CHECKPOINT_RESTORE.
Result<void> set_timer_count(FdRef timer, std::uint64_t count);

// For signals by bit: N - 1 for signal N.
Result<Fd> signal_reader(std::uint64_t mask);

}  // namespace umbel::sys
