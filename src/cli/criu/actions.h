// What happens at criu's stages of a dump and of a restore.
#pragma once

#include <functional>

#include "checkpoint/dump.h"
#include "cli/criu/options.h"

namespace umbel::cli::criu {

// Runs the action script, if there is one, with the stage in its environment. One that fails ends
// the dump or the restore.
std::function<Result<void>(checkpoint::Stage, HostPid)> actions(const Options& options);

}  // namespace umbel::cli::criu
