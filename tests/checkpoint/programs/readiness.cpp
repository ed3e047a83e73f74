// Epoll instances (also with a target that was closed, one whose number is another file now, one
// under two names, one inside another), timers and signals as descriptors.
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "../program.h"

namespace {

void add(int epoll, int number, unsigned events, unsigned long long data) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = data;
  must(epoll_ctl(epoll, EPOLL_CTL_ADD, number, &event) == 0, "epoll_ctl");
}

// The data of the only thing that is ready; 0 when nothing is, or more than one.
unsigned long long ready(int epoll) {
  epoll_event events[8];
  const int count = epoll_wait(epoll, events, 8, 0);
  return count == 1 ? events[0].data.u64 : 0;
}

long long left(int timer) {
  itimerspec now{};
  timerfd_gettime(timer, &now);
  return now.it_value.tv_sec;
}

}  // namespace

int main(int, char** words) {
  Program program(words[1]);
  const int plain = eventfd(0, EFD_NONBLOCK), moved = eventfd(0, EFD_NONBLOCK);
  const int twice = eventfd(0, EFD_NONBLOCK), replaced = eventfd(0, EFD_NONBLOCK);
  must(plain >= 0 && moved >= 0 && twice >= 0 && replaced >= 0, "eventfd");
  const int epoll = epoll_create1(EPOLL_CLOEXEC), outer = epoll_create1(0);
  must(epoll >= 0 && outer >= 0, "epoll");
  add(epoll, plain, EPOLLIN, 0x1111222233334444ULL);
  // Added as 300, which is closed now.
  must(dup2(moved, 300) == 300, "dup2");
  add(epoll, 300, EPOLLIN, 300);
  must(close(300) == 0, "close");
  add(epoll, twice, EPOLLIN | EPOLLET, 2);
  const int again = dup(twice);
  add(epoll, again, EPOLLIN | EPOLLET, 3);
  // Added as 301, which is /dev/null now.
  must(dup2(replaced, 301) == 301, "dup2");
  add(epoll, 301, EPOLLIN | EPOLLONESHOT, 301);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  must(dup3(null, 301, O_CLOEXEC) == 301, "dup3");
  add(outer, epoll, EPOLLIN, 77);

  const int once = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK),
            far = timerfd_create(CLOCK_REALTIME, 0);
  const int beats = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK),
            idle = timerfd_create(CLOCK_MONOTONIC, 0);
  const itimerspec now{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_nsec = 1}};
  const itimerspec beat{.it_interval = {.tv_sec = 0, .tv_nsec = 5000000},
                        .it_value = {.tv_sec = 0, .tv_nsec = 5000000}};
  const itimerspec hour{.it_interval = {.tv_sec = 7, .tv_nsec = 8},
                        .it_value = {.tv_sec = 3600, .tv_nsec = 0}};
  const itimerspec day{.it_interval = {},
                       .it_value = {.tv_sec = time(nullptr) + 86400, .tv_nsec = 0}};
  const int relative = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  must(timerfd_settime(once, 0, &now, nullptr) == 0 &&
           timerfd_settime(beats, 0, &beat, nullptr) == 0 &&
           timerfd_settime(far, TFD_TIMER_ABSTIME, &day, nullptr) == 0 &&
           timerfd_settime(relative, 0, &hour, nullptr) == 0,
       "timerfd_settime");

  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  sigaddset(&signals, SIGRTMIN + 3);
  must(sigprocmask(SIG_BLOCK, &signals, nullptr) == 0, "sigprocmask");
  const int reader = signalfd(-1, &signals, SFD_NONBLOCK);
  must(reader >= 0 && raise(SIGUSR1) == 0, "signalfd");
  add(outer, reader, 0, 78);

  return program.serve([&] {
    check_equal(ready(epoll), 0ULL, "an epoll instance with nothing ready");
    eventfd_t value = 0;
    eventfd_write(plain, 1);
    check_equal(ready(epoll), 0x1111222233334444ULL, "the data of a target");
    check_equal(ready(outer), 77ULL, "an epoll instance in another");
    eventfd_read(plain, &value);
    eventfd_write(moved, 1);
    check_equal(ready(epoll), 300ULL, "a target whose number was closed");
    eventfd_read(moved, &value);
    check(fcntl(300, F_GETFD) < 0, "a closed number");
    eventfd_write(twice, 1);
    epoll_event events[8];
    check_equal(epoll_wait(epoll, events, 8, 0), 2, "a target under two numbers");
    check_equal(epoll_wait(epoll, events, 8, 0), 0, "edge-triggered targets");
    eventfd_read(twice, &value);
    eventfd_write(replaced, 1);
    check_equal(ready(epoll), 301ULL, "a target whose number is another file");
    check_equal(ready(epoll), 0ULL, "a target that is reported once");
    eventfd_read(replaced, &value);
    check(write(301, "x", 1) == 1 && fcntl(301, F_GETFD) == FD_CLOEXEC, "the other file");
    // Armed again for the next time; the number leads to /dev/null, so through the old file.
    dup2(replaced, 301);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLONESHOT;
    event.data.u64 = 301;
    check(epoll_ctl(epoll, EPOLL_CTL_MOD, 301, &event) == 0, "the file of a target");
    dup3(null, 301, O_CLOEXEC);
    check(fcntl(epoll, F_GETFD) == FD_CLOEXEC, "close-on-exec of an epoll instance");

    unsigned long long count = 0;
    check(read(once, &count, sizeof count) == sizeof count && count == 1, "a timer that went off");
    check(read(once, &count, sizeof count) < 0 && errno == EAGAIN, "a timer that went off once");
    timerfd_settime(once, 0, &now, nullptr);
    usleep(12000);
    check(read(beats, &count, sizeof count) == sizeof count && count >= 2, "a timer with a period");
    check(left(far) > 86000 && left(far) <= 86400, "a timer for a time of day");
    check(left(relative) > 3500 && left(relative) <= 3600, "a timer");
    itimerspec setting{};
    timerfd_gettime(relative, &setting);
    check(setting.it_interval.tv_sec == 7 && setting.it_interval.tv_nsec == 8, "an interval");
    check_equal(left(idle), 0, "an idle timer");

    signalfd_siginfo info{};
    check(read(reader, &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR1, "a signal");
    check(read(reader, &info, sizeof info) < 0 && errno == EAGAIN, "no second signal");
    raise(SIGRTMIN + 3);
    check(read(reader, &info, sizeof info) == sizeof info, "a signal of the set");
    raise(SIGUSR1);
  });
}
