// Giving a bare process everything that the image says of it.
#pragma once

#include "checkpoint/tasks/tasks.h"

namespace umbel::checkpoint {

// Mappings without their content, and threads.
Result<void> build_frame(Restore& restore, Task& task);
// With the pages in: descriptors, signals, limits, credentials. `own`: the credentials of umbel.
Result<void> build_rest(Restore& restore, Task& task, const image::Credentials& own);
// Timers run and signals wait from here on; the workplace is gone, the registers are the program's.
Result<void> build_end(Restore& restore, Task& task, const Workplace& workplace);
Result<void> let_run(Task& task);

}  // namespace umbel::checkpoint
