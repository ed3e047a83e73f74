// The small init of a container.
#pragma once

#include "base/id.h"

namespace umbel::console {

// As pid 1: hands every signal that can be caught on to the command, reaps orphans, and ends as the
// command ends (128 + n where a signal n killed it: pid 1 can't die of one). Closes every
// descriptor.
[[noreturn]] void reap_until_end(HostPid command);

}  // namespace umbel::console
