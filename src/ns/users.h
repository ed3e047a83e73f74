// Who is in a namespace: asked of /proc each time, since nothing is told when a process enters or
// leaves one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"

namespace umbel::ns {

// By the inode of the namespace, of any kind (they share one number space): processes, by pid.
// Those that this process may not look into are missing.
using Users = std::map<std::uint64_t, std::vector<HostPid>>;
Result<Users> all_users();

// Pid 1 of a pid namespace, as this process's own counts; nothing where it has ended.
Result<std::optional<HostPid>> first_process(FdRef pid_namespace);

}  // namespace umbel::ns
