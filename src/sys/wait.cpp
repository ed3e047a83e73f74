// poll(2) takes 32 bits of milliseconds and forgets how long it has waited when a signal
// interrupts; here any duration may be given and is kept.
#include "sys/wait.h"

#include <poll.h>
#include <time.h>

#include <algorithm>

#include "sys/call.h"

namespace umbel::sys {

Result<bool> wait_ready(FdRef fd, short events, std::chrono::milliseconds at_most) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds day = std::chrono::hours(24);
  const Clock::time_point until = Clock::now() + std::clamp(at_most, at_most.zero(), 365 * day);
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    pollfd watched{.fd = fd.number(), .events = events, .revents = 0};
    const int timeout = static_cast<int>(std::clamp(left, left.zero(), day).count());
    const int ready = ::poll(&watched, 1, timeout);
    if (ready < 0 && errno != EINTR) return Failure(last_error("poll"));
    if (ready > 0) return true;
    if (left <= left.zero()) return false;
  }
}

Result<bool> wait_change(FdRef file, std::chrono::milliseconds at_most) {
  return wait_ready(file, POLLPRI, at_most);
}

void sleep_for(std::chrono::microseconds time) {
  timespec left{.tv_sec = time.count() / 1000000, .tv_nsec = time.count() % 1000000 * 1000};
  while (::nanosleep(&left, &left) < 0 && errno == EINTR) {
  }
}

}  // namespace umbel::sys
