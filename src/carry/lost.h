// What a checkpoint would lose without a word, looked for under the freeze and refused by name.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "container/config.h"

namespace umbel::carry {

// In the container's namespaces, with /proc of the host.
Result<void> check_lost(const container::Config& config, HostPid init);
// Where the container has mounts; and whether a container that was made anew has them all.
Result<std::vector<std::string>> mount_points();
Result<void> check_mount_points(const std::vector<std::string>& wanted);

}  // namespace umbel::carry
