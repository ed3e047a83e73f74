// signalfd(2): a blocked signal waits until it is read.
#include "sys/signal.h"

#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "sys/call.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/stream.h"

namespace umbel::sys {

sigset_t signals_of(std::initializer_list<int> numbers) {
  sigset_t set{};
  sigemptyset(&set);
  for (const int number : numbers) sigaddset(&set, number);
  return set;
}

sigset_t signals_to_hand_on() {
  sigset_t set{};
  sigfillset(&set);
  for (const int own : {SIGKILL, SIGSTOP, SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGSEGV,
                        SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS})
    sigdelset(&set, own);
  return set;
}

Result<SignalScope> SignalScope::open(const sigset_t& signals) {
  sigset_t before{};
  TRY(checked(::sigprocmask(SIG_SETMASK, nullptr, &before), "sigprocmask"));
  Fd fd = TRY(signal_descriptor(signals));
  TRY(set_nonblocking(fd, true));
  return SignalScope(std::move(fd), before);
}

SignalScope::SignalScope(SignalScope&& other) noexcept
    : fd_(std::move(other.fd_)), before_(other.before_) {}

SignalScope::~SignalScope() {
  if (fd_) ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

Result<std::optional<int>> SignalScope::next() const {
  signalfd_siginfo info{};
  const Moved read = TRY(read_some(fd_, {reinterpret_cast<char*>(&info), sizeof info}));
  if (read.later) return std::optional<int>();
  return std::optional(static_cast<int>(info.ssi_signo));
}

void block_all_signals() {
  const unsigned long all = ~0UL;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof all);
}

void ignore_signals(const sigset_t& signals) {
  for (int number = 1; number < NSIG; ++number)
    if (sigismember(&signals, number) == 1) ::signal(number, SIG_IGN);
}

void act_on_self(int signal) {
  struct sigaction usual{};
  struct sigaction before{};
  usual.sa_handler = SIG_DFL;
  ::sigaction(signal, &usual, &before);
  const sigset_t set = signals_of({signal});
  sigset_t mask{};
  ::raise(signal);
  ::sigprocmask(SIG_UNBLOCK, &set, &mask);  // here it acts
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  ::sigaction(signal, &before, nullptr);
}

}  // namespace umbel::sys
