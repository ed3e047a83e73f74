// What happens at criu's stages of a dump and of a restore.
#pragma once

#include <functional>
#include <string>

#include "checkpoint/dump.h"
#include "cli/criu/options.h"

namespace umbel::cli::criu {

// Told of each stage by its name, and of the root's pid once there is one; nothing where nobody
// asked.
using Notify = std::function<Result<void>(const std::string& stage, HostPid root)>;

// Runs the action script, if there is one, with the stage in its environment, and notifies. One
// that fails ends the dump or the restore.
std::function<Result<void>(checkpoint::Stage, HostPid)> actions(const Options& options,
                                                                const Notify& notify);

// --pidfile, where there is one.
Result<void> write_pid_file(const Options& options, HostPid pid);
// What a path has before its last part; "." for nothing.
std::string directory_of(const std::string& path);

}  // namespace umbel::cli::criu
