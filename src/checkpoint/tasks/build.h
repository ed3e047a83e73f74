// Giving a bare process everything that the image says of it.
#pragma once

#include "checkpoint/tasks/tasks.h"

namespace umbel::checkpoint {

// Mappings without their content.
Result<void> build_mappings(Restore& restore, Task& task, const Workplace& workplace);
// And the content, which any thread may put in.
Result<void> fill_memory(Restore& restore, Task& task);
Result<void> build_threads(Restore& restore, Task& task);
// With the pages in: descriptors, signals, limits, credentials. `own`: the credentials of umbel.
Result<void> build_rest(Restore& restore, Task& task, const image::Credentials& own);
// Timers run and signals wait from here on; the workplace is gone, the registers are the program's.
Result<void> build_end(Restore& restore, Task& task, const Workplace& workplace);
Result<void> let_run(Task& task);

}  // namespace umbel::checkpoint
