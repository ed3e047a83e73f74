// Pid 1 of a pid namespace inherits every orphan in it, and unreaped ones would fill its table; it
// gets no signal that it has blocked, and all are blocked, so that only the kernel's own SIGKILL
// from outside ends it.
#include "ns/holder.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "sys/bare.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/mount.h"
#include "sys/signal.h"

namespace umbel::ns {

namespace {

UMBEL_BARE void reap(long) {
  for (;;) {
    while (sys::bare_call(SYS_wait4, -1, 0, WNOHANG | static_cast<long>(__WALL)) > 0) continue;
    unsigned long all = ~0UL;
    sys::bare_call(SYS_rt_sigtimedwait, reinterpret_cast<long>(&all), 0, 0, sizeof all);
  }
}

}  // namespace

void hold(const std::string& name) {
  (void)sys::set_process_name(name);
  sys::block_all_signals();
  // It must keep no directory of the caller's busy.
  if (const auto root = sys::open(cwd, "/", O_PATH | O_DIRECTORY))
    (void)sys::change_directory(*root);
  (void)sys::close_from(0);
  sys::run_bare(reap, 0);
}

}  // namespace umbel::ns
