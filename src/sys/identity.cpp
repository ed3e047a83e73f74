// Thin: each function is one call. What the kernel calls the comm of a thread is the process name
// here, since only the main thread's is set.
#include "sys/identity.h"

#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <cstring>

#include "sys/call.h"

namespace umbel::sys {

Result<void> set_host_name(const std::string& name) {
  return checked(::sethostname(name.data(), name.size()), "sethostname", name);
}

Result<void> set_domain_name(const std::string& name) {
  return checked(::setdomainname(name.data(), name.size()), "setdomainname", name);
}

Result<Names> names() {
  utsname found{};
  TRY(checked(::uname(&found), "uname"));
  return Names{&found.nodename[0], &found.domainname[0], &found.release[0], &found.machine[0]};
}

HostPid own_pid() { return HostPid(::getpid()); }
uid_t own_uid() { return ::geteuid(); }
gid_t own_gid() { return ::getegid(); }

Result<void> new_session() { return checked(::setsid(), "setsid"); }

Result<void> set_parent_death_signal(int signal) {
  return checked(::prctl(PR_SET_PDEATHSIG, signal), "prctl", "PR_SET_PDEATHSIG");
}

Result<void> set_dumpable(bool dumpable) {
  return checked(::prctl(PR_SET_DUMPABLE, dumpable ? 1 : 0), "prctl", "PR_SET_DUMPABLE");
}

Result<void> set_child_subreaper(bool on) {
  return checked(::prctl(PR_SET_CHILD_SUBREAPER, on ? 1 : 0), "prctl", "PR_SET_CHILD_SUBREAPER");
}

Result<void> set_process_name(const std::string& name) {
  return checked(::prctl(PR_SET_NAME, name.c_str()), "prctl", "PR_SET_NAME");
}

Result<void> set_link_up(const std::string& name) {
  const Fd socket(TRY(checked_int(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket")));
  ifreq request{};
  std::strncpy(&request.ifr_name[0], name.c_str(), IFNAMSIZ - 1);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  return checked(::ioctl(socket.number(), SIOCSIFFLAGS, &request), "ioctl", "SIOCSIFFLAGS " + name);
}

Result<Clock> clock_now(clockid_t clock) {
  timespec now{};
  TRY(checked(::clock_gettime(clock, &now), "clock_gettime"));
  return Clock{now.tv_sec, now.tv_nsec};
}

}  // namespace umbel::sys
