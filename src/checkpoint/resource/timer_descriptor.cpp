// timerfd_create(2). fdinfo has clock, flags, the times that it went off unread and what is left;
// reading it does not count the periods that have passed since the first of them, timerfd_gettime
// does, so that comes first. What is left goes on counting after the restore; only a time of day
// stays one.
#include <sys/timerfd.h>
#include <time.h>

#include "base/text.h"
#include "checkpoint/resource/file_kind.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/procfs.h"
#include "sys/readiness.h"

#ifndef TFD_TIMER_CANCEL_ON_SET
#define TFD_TIMER_CANCEL_ON_SET (1 << 1)
#endif

namespace umbel::checkpoint {

namespace {

constexpr std::int64_t second = 1'000'000'000;

struct TimerDescriptor {
  std::int32_t clock = 0;
  std::int32_t flags = 0;
  std::uint64_t count = 0;
  image::Interval setting;  // in nanoseconds; with TFD_TIMER_ABSTIME the time of day
};
void fields(auto& archive, TimerDescriptor& t) {
  archive("clock", t.clock);
  archive("flags", t.flags);
  archive("count", t.count);
  archive("setting", t.setting);
}

bool tells_time_of_day(int clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM;
}

Result<void> make_absolute(image::Interval& setting) {
  const sys::Clock now = TRY(sys::clock_now(CLOCK_REALTIME));
  const std::int64_t fraction = setting.fraction + now.nanoseconds;
  setting.seconds += now.seconds + fraction / second;
  setting.fraction = fraction % second;
  return {};
}

// "settime flags: 01", which has a blank in its name.
Result<int> flags_in(const proc::Keyed& info) {
  constexpr std::string_view name = "settime flags:";
  for (const std::string& line : info.loose()) {
    if (!line.starts_with(name)) continue;
    if (const auto flags = number(trimmed(std::string_view(line).substr(name.size())), 8))
      return static_cast<int>(*flags);
  }
  return fail("the flags of a timer are not in its fdinfo");
}

Result<TimerDescriptor> dump(const FileDump& from) {
  const sys::TimerSetting left = TRY(sys::timer_setting(from.file));
  const std::string text =
      TRY(sys::read_file(cwd, sys::proc_path("self/fdinfo/" + std::to_string(from.file.number()))));
  const proc::Keyed info = proc::Keyed::parse(text);
  TimerDescriptor state;
  state.clock = static_cast<std::int32_t>(TRY(info.number("clockid")));
  state.count = TRY(info.number("ticks"));
  state.flags = TRY(flags_in(info));
  state.setting = {.interval_seconds = left.interval_seconds,
                   .interval_fraction = left.interval_nanoseconds,
                   .seconds = left.seconds,
                   .fraction = left.nanoseconds};
  const bool runs = left.seconds != 0 || left.nanoseconds != 0;
  if ((state.flags & TFD_TIMER_ABSTIME) == 0) return state;
  if (tells_time_of_day(state.clock) && runs)
    TRY(make_absolute(state.setting));
  else
    state.flags = 0;
  return state;
}

Result<Fd> restore(const FileRestore&, const TimerDescriptor& state) {
  Fd timer = TRY(sys::timer_descriptor(state.clock));
  TRY(sys::set_timer(timer,
                     {.interval_seconds = state.setting.interval_seconds,
                      .interval_nanoseconds = state.setting.interval_fraction,
                      .seconds = state.setting.seconds,
                      .nanoseconds = state.setting.fraction},
                     state.flags));
  if (state.count != 0) TRY(sys::set_timer_count(timer, state.count));
  return timer;
}

}  // namespace

extern const FileKind timer_descriptor =
    file_kind<TimerDescriptor, dump, restore>(inspect::Kind::timerfd);

}  // namespace umbel::checkpoint
