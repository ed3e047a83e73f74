// The processes of a container, by its cgroup or, where it has none, by its pid namespace and by
// descent from its first process.
#pragma once

#include <vector>

#include "base/error.h"
#include "cli/umbel/records.h"
#include "container/store.h"

namespace umbel::cli {

// Of a running container, by the host's pids. Those that end meanwhile are left out.
Result<std::vector<ProcessRecord>> processes_of(const container::Container& container);

}  // namespace umbel::cli
