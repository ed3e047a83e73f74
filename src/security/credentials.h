// Who a process is: user, groups, limits, labels. Source: credentials(7), setrlimit(2).
#pragma once

#include <sys/types.h>

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
  std::optional<std::uint32_t> umask;
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
  std::string name, home;
};
// "www-data", "1000", "1000:100", "web:www-data".
Result<Account> look_up_user(FdRef root, std::string_view name);
// setgroups, setresgid, setresuid. In a user namespace that denies setgroups an empty list is left.
Result<void> become(const User& user);

struct Rlimit {
  std::string type;  // RLIMIT_NOFILE, or Docker's short nofile
  std::uint64_t soft = 0, hard = 0;
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
// LSM labels for the next exec; refused, naming the module, where this kernel has it not.
Result<void> set_apparmor_profile(const std::string& profile);
Result<void> set_selinux_label(const std::string& label);
Result<void> set_oom_score(std::int64_t adjustment);

}  // namespace umbel::security
