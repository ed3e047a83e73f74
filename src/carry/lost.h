// What a checkpoint would lose without a word, looked for under the freeze and refused by name.
#pragma once

#include "base/error.h"
#include "base/id.h"
#include "container/config.h"

namespace umbel::carry {

// In the container's namespaces, with /proc of the host.
Result<void> check_lost(const container::Config& config, HostPid init);

}  // namespace umbel::carry
