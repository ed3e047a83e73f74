// Who and where the calling process is: names, ids, sessions, process attributes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"

namespace umbel::sys {

Result<void> set_host_name(const std::string& name);
Result<void> set_domain_name(const std::string& name);
struct Names {
  std::string host, domain, release, machine;
};
Result<Names> names();

HostPid own_pid();
// The effective ones. sys/credentials.h changes them.
uid_t own_uid();
gid_t own_gid();

Result<void> new_session();
Result<void> set_parent_death_signal(int signal);
Result<void> set_dumpable(bool dumpable);
Result<void> set_child_subreaper(bool on);
Result<void> set_process_name(const std::string& name);

// Brings a link of this network namespace up: lo.
Result<void> set_link_up(const std::string& name);

struct Clock {
  std::int64_t seconds = 0, nanoseconds = 0;
};
Result<Clock> clock_now(clockid_t clock);

}  // namespace umbel::sys
