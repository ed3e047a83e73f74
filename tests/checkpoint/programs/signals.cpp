// Actions, masks, pending and queued signals with what came with them; timers.
#include <signal.h>
#include <sys/time.h>

#include <atomic>

#include "../program.h"

static std::atomic<int> alarms = 0, expired = 0;

int main(int, char** words) {
  Program program(words[1]);
  struct sigaction action{};
  action.sa_handler = [](int) { ++alarms; };
  action.sa_flags = SA_RESTART;
  sigaddset(&action.sa_mask, SIGUSR2);
  sigaction(SIGALRM, &action, nullptr);
  struct sigaction timed{};
  timed.sa_sigaction = [](int, siginfo_t* info, void*) { expired += info->si_value.sival_int; };
  timed.sa_flags = SA_SIGINFO | SA_RESTART;
  sigaction(SIGRTMIN + 5, &timed, nullptr);
  signal(SIGHUP, SIG_IGN);
  signal(SIGTRAP, SIG_IGN);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigaddset(&blocked, SIGURG);
  sigaddset(&blocked, SIGRTMIN + 3);
  sigprocmask(SIG_BLOCK, &blocked, nullptr);
  kill(getpid(), SIGUSR1);
  kill(getpid(), SIGURG);
  sigqueue(getpid(), SIGRTMIN + 3, {.sival_int = 11});
  sigqueue(getpid(), SIGRTMIN + 3, {.sival_int = 22});
  const itimerval interval{.it_interval = {.tv_sec = 0, .tv_usec = 10000},
                           .it_value = {.tv_sec = 0, .tv_usec = 10000}};
  setitimer(ITIMER_REAL, &interval, nullptr);
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGRTMIN + 5;
  event.sigev_value.sival_int = 3;
  timer_t timer{}, spare{};
  must(timer_create(CLOCK_MONOTONIC, &event, &spare) == 0, "timer_create");
  must(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
  timer_delete(spare);
  const itimerspec setting{.it_interval = {.tv_sec = 0, .tv_nsec = 20000000},
                           .it_value = {.tv_sec = 0, .tv_nsec = 20000000}};
  must(timer_settime(timer, 0, &setting, nullptr) == 0, "timer_settime");

  return program.serve([&] {
    struct sigaction now{};
    sigaction(SIGALRM, nullptr, &now);
    check(now.sa_handler == action.sa_handler && (now.sa_flags & SA_RESTART) != 0, "an action");
    check(sigismember(&now.sa_mask, SIGUSR2) == 1, "the mask of an action");
    sigaction(SIGHUP, nullptr, &now);
    check(now.sa_handler == SIG_IGN, "an ignored signal");
    sigaction(SIGTRAP, nullptr, &now);
    check(now.sa_handler == SIG_IGN, "an ignored SIGTRAP");
    sigset_t mask, pending;
    sigprocmask(SIG_BLOCK, nullptr, &mask);
    check(sigismember(&mask, SIGUSR1) == 1 && sigismember(&mask, SIGUSR2) == 0, "the mask");
    sigpending(&pending);
    check(sigismember(&pending, SIGUSR1) == 1, "a pending signal");
    check(sigismember(&pending, SIGURG) == 1, "a pending SIGURG");
    sigset_t queued;
    sigemptyset(&queued);
    sigaddset(&queued, SIGRTMIN + 3);
    const timespec at_once{};
    for (const int value : {11, 22}) {
      siginfo_t info{};
      check(sigtimedwait(&queued, &info, &at_once) == SIGRTMIN + 3, "a queued signal");
      check(info.si_code == SI_QUEUE && info.si_value.sival_int == value, "a queued value");
      check_equal(info.si_pid, getpid(), "a queued signal's sender");
    }
    siginfo_t none{};
    check(sigtimedwait(&queued, &none, &at_once) < 0, "no more signals");
    sigqueue(getpid(), SIGRTMIN + 3, {.sival_int = 11});
    sigqueue(getpid(), SIGRTMIN + 3, {.sival_int = 22});
    const int alarms_before = alarms, expired_before = expired;
    timespec wait{.tv_sec = 0, .tv_nsec = 100000000};
    while (nanosleep(&wait, &wait) != 0) {
    }
    check(alarms > alarms_before + 3, "an interval timer");
    check(expired >= expired_before + 6, "a timer");
    itimerspec left{};
    check(timer_gettime(timer, &left) == 0 && left.it_interval.tv_nsec == 20000000, "a timer's id");
    check(timer_gettime(spare, &left) != 0, "a timer that was deleted");
  });
}
