// Stopping and letting go of one process; called by the member of the crew that traces it.
#pragma once

#include <cerrno>
#include <chrono>

#include "base/error.h"
#include "checkpoint/freeze/tree.h"

namespace umbel::checkpoint {

// What is asked of a process or thread that has ended.
inline bool gone(const Error& error) { return error.code == ESRCH || error.code == ENOENT; }
// Returns with every thread stopped. ESRCH when it ended meanwhile.
Result<void> seize(Process& process, std::chrono::steady_clock::time_point until);
// Signal 0: as they were before. Otherwise it is sent to the process while it is still held.
Result<void> detach(Process& process, int signal);
Result<void> kill(Process& process);

}  // namespace umbel::checkpoint
