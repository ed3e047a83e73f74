// Signal actions, and what is pending for the process and its threads.
#pragma once

#include "checkpoint/resource/context.h"

namespace umbel::checkpoint {

struct SignalAnswers {
  remote::Pointer actions;
};
SignalAnswers ask_signals(remote::Batch& batch);
void read_answers(const remote::Batch& batch, const SignalAnswers& answers, image::Process& record);
// To be called after the timers were asked: one that goes off in between is then seen twice rather
// than not at all.
Result<void> dump_pending(const Process& process, image::Process& record);

Result<void> restore_signals(Inside& in);
// The last call before the process is let go: what is pending then is what was.
Result<void> restore_pending(Inside& in);
// All of them, of the process and of its threads, as a mask.
std::uint64_t pending_mask(const image::Process& process);

}  // namespace umbel::checkpoint
