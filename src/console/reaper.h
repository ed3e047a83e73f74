// The small init of a container.
#pragma once

#include "base/id.h"

namespace umbel::console {

// As pid 1, whose child `command` is: hands every signal that can be caught on to the command,
// reaps orphans, and ends as the command ends (128 + n where a signal n killed it: pid 1 can't die
// of one; 125 where there is no such child). Closes every descriptor and gives up its memory but
// two pages. A stop by SIGTSTP, SIGTTIN or SIGTTOU reaches the command as SIGSTOP.
[[noreturn]] void reap_until_end(InnerPid command);

}  // namespace umbel::console
