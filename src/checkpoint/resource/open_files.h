// Open files and the descriptors that refer to them, as a whole.
#pragma once

#include "checkpoint/resource/context.h"

namespace umbel::checkpoint {

// Fills dump.tree.files and every process's descriptors.
Result<void> dump_open_files(Dump& dump);
// Fills working directory, root and executable of a process.
Result<void> dump_paths(Dump& dump, ProcessDump& process);

// In a process that inherited the descriptors of umbel: puts each at its number and closes all
// others.
Result<void> restore_descriptors(Inside& in);
// What umbel itself does to the files when the processes exist: what their kinds ask for, locks,
// owners of signals, then O_ASYNC.
Result<void> settle_files(Restore& restore);

}  // namespace umbel::checkpoint
