// `umbel run` without a terminal of its own: the command has the caller's descriptors, umbel only
// hands signals on and waits. The command is in a session of its own, so that it can't push
// characters into the caller's terminal (TIOCSTI); the terminal's signals therefore reach umbel
// alone and are handed on like all others.
#include <poll.h>
#include <sys/signalfd.h>

#include <array>

#include "container/lifecycle.h"
#include "container/start.h"
#include "sys/file.h"

namespace umbel::container {

namespace {

// What ends, stops or concerns umbel itself stays with umbel.
sigset_t handed_on() {
  sigset_t set{};
  sigfillset(&set);
  for (const int own : {SIGKILL, SIGSTOP, SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGSEGV,
                        SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS})
    sigdelset(&set, own);
  return set;
}

}  // namespace

Result<SignalRelay> SignalRelay::open() {
  const sigset_t set = handed_on();
  return SignalRelay(TRY(sys::signal_descriptor(set)));
}

Result<sys::Exit> SignalRelay::wait(sys::Process& process) const {
  for (;;) {
    std::array<pollfd, 2> watched{
        {{process.pidfd().number(), POLLIN, 0}, {signals_.number(), POLLIN, 0}}};
    if (::poll(watched.data(), watched.size(), -1) < 0) continue;  // EINTR: SIGCONT
    if ((watched[1].revents & POLLIN) != 0) {
      (void)process.kill(TRY(sys::next_signal(signals_)));  // it may have ended meanwhile
    }
    if ((watched[0].revents & POLLIN) != 0) return process.wait();
  }
}

Result<int> run_foreground(Container& container, const Foreground& how) {
  const SignalRelay signals = TRY(SignalRelay::open());
  Launched launched = TRY(start(container, {.stdio = how.stdio}));
  container.unlock();
  for (const std::string& note : launched.notes) how.note(note);
  const sys::Exit exit = TRY(signals.wait(launched.init));
  TRY(finish(container, exit));
  return exit.code();
}

}  // namespace umbel::container
