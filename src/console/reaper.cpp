// The kernel drops signals to a pid 1 that has no handler for them, unless they are blocked: so all
// are blocked, and fetched one by one. SIGSTOP and SIGKILL can't be fetched; the latter ends the
// whole pid namespace.
#include "console/reaper.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/file.h"
#include "sys/identity.h"

namespace umbel::console {

namespace {

void hand_on(const siginfo_t& info, HostPid command) {
  // The terminal's job control stops the foreground group by itself; init is in no such group.
  ::kill(command.value(), info.si_signo);
}

// Ends the process when it was the command that ended.
void reap_all(HostPid command) {
  for (;;) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG | __WALL);
    if (pid <= 0) return;
    if (pid != command.value()) continue;
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  }
}

}  // namespace

void reap_until_end(HostPid command) {
  (void)sys::set_process_name("umbel-init");
  sigset_t all{};
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  (void)sys::close_from(0);
  for (;;) {
    reap_all(command);
    siginfo_t info{};
    if (::sigwaitinfo(&all, &info) < 0) continue;
    if (info.si_signo != SIGCHLD) hand_on(info, command);
  }
}

}  // namespace umbel::console
