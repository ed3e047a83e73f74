// What belongs to one thread besides its registers.
#pragma once

#include <vector>

#include "checkpoint/resource/context.h"

namespace umbel::checkpoint {

// The state of the processor, with a restartable sequence that was interrupted sent to its abort
// handler, as the kernel would have done on the way back.
Result<remote::Cpu> read_thread_cpu(const Process& process, const Thread& thread,
                                    image::Thread& record);
// From outside: name, credentials, filters.
Result<void> dump_thread(ProcessDump& process, const Thread& thread, const proc::Keyed& status,
                         image::Thread& record);

// What only the thread itself can tell.
struct ThreadAnswers {
  remote::Pointer alternate_stack, clear_tid, death_signal, robust_list, scheduling, processors;
  remote::Call secure_bits, timer_slack, personality, io_priority, affinity;
};
ThreadAnswers ask_thread(remote::Batch& batch);
Result<void> read_answers(const remote::Batch& batch, const ThreadAnswers& answers,
                          image::Thread& record);

// Adds the calls that give a thread all of it, but for registers, mask and extended state. `own`:
// the credentials that it has now.
Result<void> restore_thread(remote::Session& session, remote::Batch& batch,
                            const image::Process& process, const image::Thread& thread,
                            const image::Credentials& own);
remote::Cpu cpu_of(const image::Thread& thread);

}  // namespace umbel::checkpoint
