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

Result<sys::Exit> wait_handing_on(sys::Process& init, FdRef signals) {
  for (;;) {
    std::array<pollfd, 2> watched{
        {{init.pidfd().number(), POLLIN, 0}, {signals.number(), POLLIN, 0}}};
    if (::poll(watched.data(), watched.size(), -1) < 0) continue;  // EINTR: SIGCONT
    if ((watched[1].revents & POLLIN) != 0) {
      std::array<char, sizeof(signalfd_siginfo)> raw{};
      TRY(sys::read(signals, raw));
      signalfd_siginfo info{};
      __builtin_memcpy(&info, raw.data(), sizeof info);
      (void)init.kill(static_cast<int>(info.ssi_signo));  // it may have ended meanwhile
    }
    if ((watched[0].revents & POLLIN) != 0) return init.wait();
  }
}

}  // namespace

Result<int> run_foreground(Container& container, const Foreground& how) {
  const sigset_t set = handed_on();
  const Fd signals = TRY(sys::signal_descriptor(set));
  Launched launched = TRY(start(container, how.stdio));
  container.unlock();
  for (const std::string& note : launched.notes) how.note(note);
  const sys::Exit exit = TRY(wait_handing_on(launched.init, signals));
  TRY(finish(container, exit));
  return exit.code();
}

}  // namespace umbel::container
