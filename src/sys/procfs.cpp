// Every procfs has inode 1 at its top (PROC_ROOT_INO, stable since the file system exists), so a
// bind mount of one of its directories is told from it. "self" and "thread-self" are ordinary
// links, relative to the top, that stay inside; RESOLVE_NO_XDEV sees mounts on top of files too.
#include "sys/procfs.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/call.h"
#include "sys/file.h"
#include "sys/mount.h"

namespace umbel::sys {

Result<Fd> open_procfs(const std::string& path) {
  Fd top = TRY(open(cwd, path, O_PATH | O_DIRECTORY));
  const struct statfs kind = TRY(file_system(top));
  const Identity id = TRY(identity(top));
  if (kind.f_type != PROC_SUPER_MAGIC || id.inode != 1)
    return fail("what is mounted at " + path + " is not the top of a proc file system");
  return top;
}

Result<Fd> open_in_procfs(FdRef procfs, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  for (int tries = 0;; ++tries) {
    const long answer = ::syscall(SYS_openat2, procfs.number(), path.c_str(), &how, sizeof how);
    if (answer >= 0) return Fd(static_cast<int>(answer));
    if (errno != EAGAIN || tries == 64) return Failure(last_error("openat2", "/proc/" + path));
  }
}

namespace {
bool kept = false;
}  // namespace

std::string proc_path(const std::string& file) { return kept ? file : "/proc/" + file; }

Result<void> keep_procfs(FdRef procfs) {
  TRY(change_directory(procfs));
  kept = true;
  return {};
}

}  // namespace umbel::sys
