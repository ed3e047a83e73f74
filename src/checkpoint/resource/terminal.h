// Terminals in their role for sessions: the controlling one, and its foreground group.
#pragma once

#include "checkpoint/resource/context.h"

namespace umbel::checkpoint {

// For a process that has just become the leader of its session, and before it has children there.
Result<void> restore_controlling(Inside& in);
// When all process groups exist.
Result<void> restore_foreground(Inside& in);

}  // namespace umbel::checkpoint
