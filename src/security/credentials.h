// Who a process is and what it may use: user, groups, limits, labels. All of it is about the
// calling thread. Source: credentials(7), setrlimit(2), passwd(5), group(5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::security {

struct User {
  std::uint32_t uid = 0, gid = 0;
  std::vector<std::uint32_t> groups;
  std::optional<std::uint32_t> umask;  // absent: 022
  friend bool operator==(const User&, const User&) = default;
};
void fields(auto& archive, User& u) {
  archive("uid", u.uid);
  archive("gid", u.gid);
  archive("groups", u.groups);
  archive("umask", u.umask);
}

// What a name or number means by the /etc/passwd and /etc/group inside `root`, with the
// supplementary groups of its line and the home directory ("/" when there is none).
struct Account {
  User user;
  std::string name, home;  // the name is as given where the user has no line
};
// "www-data", "1000", "1000:100", "web:www-data", as Docker understands them: digits are always a
// number, which needs no line; a user alone has the groups that list it, with a group named he has
// that alone. Empty: user 0.
Result<Account> look_up_user(FdRef root, std::string_view name);
// Groups, then user, then umask. Where the user namespace denies setgroups an empty list leaves the
// groups that there are. Capabilities of the permitted set are lost on leaving user 0, unless
// keep_across_user_change() was called.
Result<void> become(const User& user);

struct Rlimit {
  std::string type;  // RLIMIT_NOFILE, or Docker's short nofile
  std::uint64_t soft = 0, hard = 0;
  friend bool operator==(const Rlimit&, const Rlimit&) = default;
};
void fields(auto& archive, Rlimit& r) {
  archive("type", r.type);
  archive("soft", r.soft);
  archive("hard", r.hard);
}
// "nofile=1024:2048", "core=unlimited".
Result<Rlimit> parse_rlimit(std::string_view text);
// The message says when a hard limit can't be raised for want of CAP_SYS_RESOURCE.
Result<void> apply(const std::vector<Rlimit>& limits);

Result<void> forbid_new_privileges();
// A session keyring of its own, so that the program can't see the keys of whoever started umbel.
// Its serial number; ENOSYS where the kernel has no keyrings.
Result<std::int32_t> new_session_keyring();

// Each writes a file of procfs: the one given, from sys::open_procfs(), opened while the host's was
// there; absent, the one at /proc, which a container may not have. Either is refused unless it is
// the kernel's own file.
//
// LSM labels for the next exec; refused, naming the module, where this kernel has it not.
Result<void> set_apparmor_profile(const std::string& profile,
                                  std::optional<FdRef> procfs = std::nullopt);
Result<void> set_selinux_label(const std::string& label,
                               std::optional<FdRef> procfs = std::nullopt);
// From -1000 (never killed) to 1000; lowering it needs CAP_SYS_RESOURCE.
Result<void> set_oom_score(std::int64_t adjustment, std::optional<FdRef> procfs = std::nullopt);

}  // namespace umbel::security
