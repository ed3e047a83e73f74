// Facts relied on: setgroups in a user namespace is EPERM until the group map is written and for as
// long as /proc/PID/setgroups says "deny" (user_namespaces(7)); an id outside of the maps is
// EINVAL; a task may write its own attr files only, through a descriptor opened by the same memory
// (Linux 5.13), so a label's file is opened where it is written, below a procfs that can be older.
#include "security/credentials.h"

#include <fcntl.h>
#include <linux/capability.h>

#include <algorithm>
#include <cerrno>

#include "security/capabilities.h"
#include "sys/capability.h"
#include "sys/credentials.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/procfs.h"

namespace umbel::security {

namespace {

constexpr std::uint32_t usual_umask = 022;

Result<void> set_groups(const std::vector<std::uint32_t>& wanted) {
  const std::vector<gid_t> now = TRY(sys::get_groups());
  if (std::ranges::equal(now, wanted)) return {};
  Result<void> set = sys::set_groups(wanted);
  if (set || set.error().code != EPERM)
    return during("setting supplementary groups", std::move(set));
  // With the capability it can only be the namespace that forbids it; what it denies is dropping
  // groups, so keeping them is what can be done. Without it, silence would leave powers behind.
  const sys::CapabilitySets own = TRY(sys::capget());
  const bool denied = (own.effective & capability(CAP_SETGID)) != 0;
  if (denied && wanted.empty()) return {};
  return advise(denied ? "this user namespace has no groups to give: map some with --gid-map"
                       : "this needs CAP_SETGID",
                during("setting supplementary groups", std::move(set)));
}

Result<void> mapped(std::string_view kind, std::uint32_t id, Result<void> set) {
  const std::string step = "becoming " + std::string(kind) + " " + std::to_string(id);
  const int code = set ? 0 : set.error().code;
  set = during(step, std::move(set));
  if (code == EINVAL)
    return advise("the user namespace does not map that id: give it one in its maps",
                  std::move(set));
  if (code == EAGAIN)
    return advise("that user has as many processes as nproc allows", std::move(set));
  return set;
}

// A file of the calling thread or process.
Result<Fd> open_own(std::optional<FdRef> procfs, const std::string& path, int flags) {
  if (procfs) return sys::open_in_procfs(*procfs, path, flags);
  const Fd top = TRY(sys::open_procfs());
  return sys::open_in_procfs(top, path, flags);
}

Result<void> write_own(std::optional<FdRef> procfs, const std::string& path,
                       const std::string& text) {
  const Fd file = TRY(open_own(procfs, path, O_WRONLY));
  // The kernel wants it in one piece.
  TRY(during("/proc/" + path, sys::write(file, text)));
  return {};
}

// The module registers its file system only when it is in force.
Result<bool> has_selinux(std::optional<FdRef> procfs) {
  const Fd file = TRY(open_own(procfs, "filesystems", O_RDONLY));
  const std::string kinds = TRY(sys::read_all(file));
  return kinds.contains("\tselinuxfs\n");
}

Result<void> apparmor(const std::string& profile, std::optional<FdRef> procfs) {
  Result<Fd> file = open_own(procfs, "thread-self/attr/apparmor/exec", O_WRONLY);
  if (!file && file.error().code == ENOENT)
    return fail("this kernel has no AppArmor", "leave the profile out");
  if (!file) return Failure(std::move(file.error()));
  const Result<std::size_t> written = sys::write(*file, "exec " + profile);
  if (written) return {};
  const int code = written.error().code;
  if (code == ENOENT)
    return fail_with(code, "the kernel has no such profile", "load it with apparmor_parser");
  if (code == EINVAL) return fail_with(code, "AppArmor is not in force", "leave the profile out");
  return Failure(written.error());
}

}  // namespace

Result<void> become(const User& user) {
  TRY(set_groups(user.groups));
  TRY(mapped("group", user.gid, sys::set_group(user.gid)));
  TRY(mapped("user", user.uid, sys::set_user(user.uid)));
  (void)sys::set_umask(user.umask.value_or(usual_umask));
  return {};
}

Result<void> forbid_new_privileges() { return sys::set_no_new_privileges(); }

Result<std::int32_t> new_session_keyring() {
  return advise(
      "the user has as many keyrings as sysctl kernel.keys.maxkeys allows, or the kernel has none",
      during("making a session keyring", sys::join_new_session_keyring()));
}

Result<void> set_apparmor_profile(const std::string& profile, std::optional<FdRef> procfs) {
  return during("the AppArmor profile " + profile, apparmor(profile, procfs));
}

Result<void> set_selinux_label(const std::string& label, std::optional<FdRef> procfs) {
  const std::string step = "the SELinux label " + label;
  if (!TRY(during(step, has_selinux(procfs))))
    return fail(step + ": this kernel has no SELinux, or it is not in force",
                "leave the label out");
  return advise("the loaded policy may not know this label",
                during(step, write_own(procfs, "thread-self/attr/exec", label)));
}

Result<void> set_oom_score(std::int64_t adjustment, std::optional<FdRef> procfs) {
  const std::string step = "the out-of-memory score " + std::to_string(adjustment);
  if (adjustment < -1000 || adjustment > 1000)
    return fail_with(EINVAL, "the out-of-memory score can't be " + std::to_string(adjustment),
                     "choose from -1000 (never killed) to 1000 (killed first)");
  Result<void> written = write_own(procfs, "self/oom_score_adj", std::to_string(adjustment));
  if (!written && written.error().code == EACCES)
    return advise("lowering it needs CAP_SYS_RESOURCE", during(step, std::move(written)));
  return during(step, std::move(written));
}

}  // namespace umbel::security
