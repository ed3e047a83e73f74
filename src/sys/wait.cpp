#include "sys/wait.h"

#include <poll.h>
#include <time.h>

#include "sys/call.h"

namespace umbel::sys {

Result<bool> wait_change(FdRef file, std::chrono::milliseconds at_most) {
  pollfd watched{.fd = file.number(), .events = POLLPRI, .revents = 0};
  const int ready = TRY(checked_int(
      retried([&] { return ::poll(&watched, 1, static_cast<int>(at_most.count())); }), "poll"));
  return ready > 0;
}

void sleep_for(std::chrono::microseconds time) {
  timespec left{.tv_sec = time.count() / 1000000, .tv_nsec = time.count() % 1000000 * 1000};
  while (::nanosleep(&left, &left) < 0 && errno == EINTR) {
  }
}

}  // namespace umbel::sys
