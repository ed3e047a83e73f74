// The kernel drops signals to a pid 1 that has no handler for them, unless they are blocked: so all
// are blocked, and fetched one by one. SIGSTOP and SIGKILL can't be fetched; the latter ends the
// whole pid namespace.
// The command leads a session of its own, so its process group is an orphaned one as POSIX has it:
// there the kernel discards the stop of SIGTSTP, SIGTTIN and SIGTTOU, since no shell could continue
// it. Whoever sent one meant it to stop, and continues it by SIGCONT.
#include "console/reaper.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "sys/bare.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/signal.h"

namespace umbel::console {

namespace {

UMBEL_BARE void reap(long command) {
  for (;;) {
    for (;;) {
      int status = 0;
      const long pid = sys::bare_call(SYS_wait4, -1, reinterpret_cast<long>(&status),
                                      WNOHANG | static_cast<long>(__WALL));
      if (pid == -ECHILD) sys::bare_call(SYS_exit_group, 125);
      if (pid <= 0) break;
      if (pid != command) continue;
      sys::bare_call(SYS_exit_group,
                     WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
    unsigned long all = ~0UL;
    const long signal =
        sys::bare_call(SYS_rt_sigtimedwait, reinterpret_cast<long>(&all), 0, 0, sizeof all);
    if (signal <= 0 || signal == SIGCHLD) continue;
    const bool stops = signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
    sys::bare_call(SYS_kill, command, stops ? SIGSTOP : signal);
  }
}

}  // namespace

void reap_until_end(InnerPid command) {
  (void)sys::set_process_name("umbel-init");
  sys::block_all_signals();
  (void)sys::close_from(0);
  sys::run_bare(reap, command.value());
}

}  // namespace umbel::console
