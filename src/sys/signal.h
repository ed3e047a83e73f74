// Signals as something to read, for as long as a scope lasts.
#pragma once

#include <signal.h>

#include <initializer_list>
#include <optional>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

sigset_t signals_of(std::initializer_list<int> numbers);
// Those that one hands on for somebody else: all but the ones that stop or concern the process
// itself (SIGTSTP, SIGCHLD), can't be caught, or say that it is broken (SIGSEGV).
sigset_t signals_to_hand_on();

// Keeps these signals from acting on this process (which must have a single thread), to be read
// one by one; afterwards they act as before.
class SignalScope {
 public:
  static Result<SignalScope> open(const sigset_t& signals);
  SignalScope(SignalScope&& other) noexcept;
  SignalScope& operator=(SignalScope&&) = delete;
  SignalScope(const SignalScope&) = delete;
  SignalScope& operator=(const SignalScope&) = delete;
  ~SignalScope();

  FdRef fd() const { return fd_; }
  // The number of a signal that has come; nullopt where none has.
  Result<std::optional<int>> next() const;

 private:
  SignalScope(Fd fd, const sigset_t& before) : fd_(std::move(fd)), before_(before) {}
  Fd fd_;
  sigset_t before_;
};

// Really all, also the two that the C library keeps for its threads.
void block_all_signals();
void ignore_signals(const sigset_t& signals);
// As the signal would have acted on a process that does not handle it: ends or stops this one.
void act_on_self(int signal);

}  // namespace umbel::sys
