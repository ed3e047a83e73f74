// F_OFD_SETLK wants l_pid to be 0. flock(2) gives EWOULDBLOCK, which is EAGAIN.
#include "sys/lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include "sys/call.h"

namespace umbel::sys {

Result<void> lock_whole(FdRef file, LockAccess access) {
  const int how = access == LockAccess::shared ? LOCK_SH : LOCK_EX;
  return checked(::flock(file.number(), how | LOCK_NB), "flock");
}

Result<void> lock_part(FdRef file, LockAccess access, std::int64_t start, std::int64_t length) {
  struct flock wanted{};
  wanted.l_type = access == LockAccess::shared ? F_RDLCK : F_WRLCK;
  wanted.l_whence = SEEK_SET;
  wanted.l_start = start;
  wanted.l_len = length;
  return checked(::fcntl(file.number(), F_OFD_SETLK, &wanted), "F_OFD_SETLK");
}

}  // namespace umbel::sys
