// kcmp answers 0 (same), 1 (less), 2 (greater) or 3 (different, no order): the order is one over
// obfuscated kernel addresses, stable while the machine runs.
#include "sys/descriptor.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <string>

#include "sys/call.h"

namespace umbel::sys {

Result<Fd> duplicate_from(FdRef fd, int least) {
  const int made = TRY(checked_int(::fcntl(fd.number(), F_DUPFD_CLOEXEC, least), "F_DUPFD"));
  return Fd(made);
}
Result<int> status_flags(FdRef fd) { return checked_int(::fcntl(fd.number(), F_GETFL), "F_GETFL"); }
Result<void> set_status_flags(FdRef fd, int flags) {
  return checked(::fcntl(fd.number(), F_SETFL, flags), "F_SETFL");
}
Result<std::int64_t> seek(FdRef fd, std::int64_t offset, int from) {
  const off64_t at = ::lseek64(fd.number(), offset, from);
  if (at < 0) return Failure(last_error("lseek"));
  return at;
}

Result<Owner> owner(FdRef fd) {
  f_owner_ex found{};
  TRY(checked(::fcntl(fd.number(), F_GETOWN_EX, &found), "F_GETOWN_EX"));
  return Owner{.kind = static_cast<Owner::Kind>(found.type), .id = found.pid};
}
Result<void> set_owner(FdRef fd, const Owner& owner) {
  const f_owner_ex wanted{.type = static_cast<__pid_type>(owner.kind), .pid = owner.id};
  return checked(::fcntl(fd.number(), F_SETOWN_EX, &wanted), "F_SETOWN_EX");
}
Result<int> owner_signal(FdRef fd) {
  return checked_int(::fcntl(fd.number(), F_GETSIG), "F_GETSIG");
}
Result<void> set_owner_signal(FdRef fd, int signal) {
  return checked(::fcntl(fd.number(), F_SETSIG, signal), "F_SETSIG");
}
Result<int> pipe_capacity(FdRef fd) {
  return checked_int(::fcntl(fd.number(), F_GETPIPE_SZ), "F_GETPIPE_SZ");
}
Result<void> set_pipe_capacity(FdRef fd, int bytes) {
  return checked(::fcntl(fd.number(), F_SETPIPE_SZ, bytes), "F_SETPIPE_SZ");
}
Result<int> readable_bytes(FdRef fd) {
  int bytes = 0;
  TRY(checked(::ioctl(fd.number(), FIONREAD, &bytes), "FIONREAD"));
  return bytes;
}

Result<int> compare(HostPid a, HostPid b, int kind, std::uint64_t index_a, std::uint64_t index_b) {
  static constexpr std::array<int, 4> order{0, -1, 1, INT_MAX};
  const long answer = ::syscall(SYS_kcmp, a.value(), b.value(), kind, index_a, index_b);
  if (answer < 0) return Failure(last_error("kcmp", std::to_string(a.value())));
  return order[static_cast<std::size_t>(answer & 3)];
}

Result<Fd> event_descriptor(std::uint64_t count, int flags) {
  // eventfd(2) takes a 32-bit value; the rest is written.
  const int made = TRY(checked_int(::eventfd(0, flags | EFD_CLOEXEC), "eventfd"));
  Fd fd(made);
  if (count != 0) TRY(checked(::write(made, &count, sizeof count), "write", "eventfd"));
  return fd;
}

Result<std::uint64_t> raise_descriptor_limit() {
  rlimit64 limit{};
  TRY(checked(::getrlimit64(RLIMIT_NOFILE, &limit), "getrlimit"));
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    TRY(checked(::setrlimit64(RLIMIT_NOFILE, &limit), "setrlimit"));
  }
  return limit.rlim_cur;
}

}  // namespace umbel::sys
