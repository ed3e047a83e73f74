// kcmp(2) compares a slot of an epoll instance with a file by KCMP_EPOLL_TFD; the slot is named in
// memory. The kernel's signalfd4 takes a mask of 8 bytes, and only the C library's a larger one.
#include "sys/readiness.h"

#include <linux/kcmp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "sys/call.h"

namespace umbel::sys {

namespace {

#ifndef TFD_IOC_SET_TICKS
#define TFD_IOC_SET_TICKS _IOW('T', 0, std::uint64_t)
#endif

Result<Fd> opened(long answer, std::string_view call) { return Fd(TRY(checked_int(answer, call))); }

}  // namespace

Result<Fd> epoll() { return opened(::epoll_create1(EPOLL_CLOEXEC), "epoll_create"); }

Result<bool> watches(const EpollSlot& slot, HostPid pid, int number) {
  const kcmp_epoll_slot asked{.efd = static_cast<__u32>(slot.epoll),
                              .tfd = static_cast<__u32>(slot.target),
                              .toff = slot.turn};
  const long answer =
      ::syscall(SYS_kcmp, pid.value(), slot.pid.value(), KCMP_EPOLL_TFD, number, &asked);
  if (answer < 0) return Failure(last_error("kcmp", "an epoll instance"));
  return answer == 0;
}

Result<Fd> timer_descriptor(int clock) {
  return opened(::timerfd_create(clock, TFD_CLOEXEC), "timerfd_create");
}

Result<TimerSetting> timer_setting(FdRef timer) {
  itimerspec found{};
  TRY(checked(::timerfd_gettime(timer.number(), &found), "timerfd_gettime"));
  return TimerSetting{.interval_seconds = found.it_interval.tv_sec,
                      .interval_nanoseconds = found.it_interval.tv_nsec,
                      .seconds = found.it_value.tv_sec,
                      .nanoseconds = found.it_value.tv_nsec};
}

Result<void> set_timer(FdRef timer, const TimerSetting& setting, int flags) {
  const itimerspec wanted{
      .it_interval = {.tv_sec = setting.interval_seconds, .tv_nsec = setting.interval_nanoseconds},
      .it_value = {.tv_sec = setting.seconds, .tv_nsec = setting.nanoseconds}};
  return checked(::timerfd_settime(timer.number(), flags, &wanted, nullptr), "timerfd_settime");
}

Result<void> set_timer_count(FdRef timer, std::uint64_t count) {
  return checked(::ioctl(timer.number(), TFD_IOC_SET_TICKS, &count), "TFD_IOC_SET_TICKS");
}

Result<Fd> signal_reader(std::uint64_t mask) {
  return opened(::syscall(SYS_signalfd4, -1, &mask, sizeof mask, SFD_CLOEXEC), "signalfd");
}

}  // namespace umbel::sys
