// glibc has the calls; what it lacks is the kind-neutral ioctls of ioctl_ns(2), Linux 4.9 and 4.11.
#include "sys/namespace.h"

#include <linux/nsfs.h>
#include <sys/ioctl.h>

#include "sys/call.h"

namespace umbel::sys {

Result<void> unshare(std::uint64_t flags) {
  return checked(::unshare(static_cast<int>(flags)), "unshare");
}

Result<void> setns(FdRef fd, std::uint64_t flags) {
  return checked(::setns(fd.number(), static_cast<int>(flags)), "setns");
}

Result<std::uint64_t> namespace_kind(FdRef ns) {
  return static_cast<std::uint64_t>(
      TRY(checked_int(::ioctl(ns.number(), NS_GET_NSTYPE), "ioctl", "NS_GET_NSTYPE")));
}

Result<Fd> namespace_owner(FdRef ns) {
  return Fd(TRY(checked_int(::ioctl(ns.number(), NS_GET_USERNS), "ioctl", "NS_GET_USERNS")));
}

Result<Fd> namespace_parent(FdRef ns) {
  return Fd(TRY(checked_int(::ioctl(ns.number(), NS_GET_PARENT), "ioctl", "NS_GET_PARENT")));
}

Result<HostPid> pid_in_namespace(FdRef ns, std::int32_t pid) {
  constexpr unsigned long get_pid_from = _IOR(NSIO, 0x6, int);  // NS_GET_PID_FROM_PIDNS
  return HostPid(
      TRY(checked_int(::ioctl(ns.number(), get_pid_from, pid), "ioctl", "NS_GET_PID_FROM_PIDNS")));
}

}  // namespace umbel::sys
