// What belongs to a process as a whole and is no memory, file, signal or timer.
#pragma once

#include "checkpoint/resource/context.h"

namespace umbel::checkpoint {

// From outside: ids, umask, limits, layout of its memory.
Result<void> dump_process(ProcessDump& process);
struct ProcessAnswers {
  remote::Pointer subreaper;
  remote::Call dumpable, thp_disabled, memory_deny_write_execute, brk;
};
ProcessAnswers ask_process(remote::Batch& batch);
Result<void> read_answers(const remote::Batch& batch, const ProcessAnswers& answers,
                          image::Process& record);

// With its descriptors still those of umbel: layout and executable, working directory, root, umask.
Result<void> restore_process(Inside& in);
// After the credentials, which reset it.
void restore_dumpable(Inside& in);
// From outside: what has no call of its own.
Result<void> restore_outside(HostPid pid, const image::Process& process);
// The last of all: they could forbid what the restore itself needs. `own`: those it has now.
Result<void> restore_limits(Inside& in);

}  // namespace umbel::checkpoint
