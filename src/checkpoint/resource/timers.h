// Interval timers (setitimer(2)) and POSIX timers (timer_create(2)).
#pragma once

#include "checkpoint/resource/context.h"

namespace umbel::checkpoint {

// From /proc/PID/timers, all but the settings.
Result<void> dump_timers(const Process& process, image::Process& record);
struct TimerAnswers {
  remote::Pointer intervals, settings;
  std::vector<remote::Call> overruns;
};
TimerAnswers ask_timers(remote::Batch& batch, const image::Process& record);
Result<void> read_answers(const remote::Batch& batch, const TimerAnswers& answers,
                          image::Process& record);

// They run from here on: to be called as late as possible, with every thread made.
Result<void> restore_timers(Inside& in);

}  // namespace umbel::checkpoint
