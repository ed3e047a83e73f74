// Users, groups, limits, keyrings: credentials(7), setrlimit(2), keyctl(2). The calls are made
// without the C library's wrappers, which would signal every thread that they believe to exist:
// after a bare clone3 that belief is the parent's. So they act on the calling thread alone.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"

namespace umbel::sys {

Result<std::vector<gid_t>> get_groups();
Result<void> set_groups(std::span<const gid_t> groups);
// Real, effective and saved.
Result<void> set_user(uid_t uid);
Result<void> set_group(gid_t gid);
// Only for what is asked of file systems: who owns a new file. Takes the file capabilities out of
// the effective set when the user was 0, as setfsuid(2) says.
Result<void> set_file_ids(uid_t uid, gid_t gid);
mode_t set_umask(mode_t mask);

struct Limit {
  std::uint64_t soft = 0, hard = 0;  // RLIM_INFINITY (all ones): none
};
Result<Limit> get_limit(int resource);
Result<void> set_limit(int resource, const Limit& limit);

Result<void> set_no_new_privileges();
// A new anonymous session keyring for the caller; its serial number. ENOSYS without CONFIG_KEYS.
Result<std::int32_t> join_new_session_keyring();

}  // namespace umbel::sys
