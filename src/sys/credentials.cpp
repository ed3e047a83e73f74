#include "sys/credentials.h"

#include <linux/keyctl.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "sys/call.h"

namespace umbel::sys {

Result<std::vector<gid_t>> get_groups() {
  const int count = TRY(checked_int(::getgroups(0, nullptr), "getgroups"));
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  const int filled = TRY(checked_int(::getgroups(count, groups.data()), "getgroups"));
  groups.resize(static_cast<std::size_t>(filled));
  return groups;
}

Result<void> set_groups(std::span<const gid_t> groups) {
  return checked(::syscall(SYS_setgroups, groups.size(), groups.data()), "setgroups");
}

Result<void> set_user(uid_t uid) {
  return checked(::syscall(SYS_setresuid, uid, uid, uid), "setresuid", std::to_string(uid));
}

Result<void> set_group(gid_t gid) {
  return checked(::syscall(SYS_setresgid, gid, gid, gid), "setresgid", std::to_string(gid));
}

Result<void> set_file_ids(uid_t uid, gid_t gid) {
  // Both only ever return what was before: an id that can't be changes nothing and shows that.
  ::setfsgid(gid);
  ::setfsuid(uid);
  if (static_cast<gid_t>(::setfsgid(~gid_t{0})) != gid ||
      static_cast<uid_t>(::setfsuid(~uid_t{0})) != uid)
    return Failure(Error{.code = EPERM, .call = "setfsuid " + std::to_string(uid)});
  return {};
}

mode_t set_umask(mode_t mask) { return ::umask(mask); }

Result<Limit> get_limit(int resource) {
  struct rlimit64 found{};
  TRY(checked(::syscall(SYS_prlimit64, 0, resource, nullptr, &found), "prlimit"));
  return Limit{found.rlim_cur, found.rlim_max};
}

Result<void> set_limit(int resource, const Limit& limit) {
  const struct rlimit64 wanted{limit.soft, limit.hard};
  return checked(::syscall(SYS_prlimit64, 0, resource, &wanted, nullptr), "prlimit");
}

Result<void> set_no_new_privileges() {
  return checked(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl", "PR_SET_NO_NEW_PRIVS");
}

Result<std::int32_t> join_new_session_keyring() {
  return checked_int(::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr), "keyctl",
                     "KEYCTL_JOIN_SESSION_KEYRING");
}

}  // namespace umbel::sys
