// A POSIX timer has a number that the program knows it by. Linux 6.15 gives the number that is
// asked for (PR_TIMER_CREATE_RESTORE_IDS); before, numbers only count upwards, and timers are made
// and deleted until the right one comes. Times are what was left, so the time that the program was
// not there does not count.
#include "checkpoint/resource/timers.h"

#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/text.h"

#ifndef PR_TIMER_CREATE_RESTORE_IDS
#define PR_TIMER_CREATE_RESTORE_IDS 77
#endif

namespace umbel::checkpoint {

namespace {

namespace call = remote::call;

constexpr int interval_timers = 3;  // ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF
constexpr int relative = 0;

// struct itimerval and struct itimerspec have this shape.
struct Setting {
  std::int64_t interval_seconds = 0, interval_fraction = 0, seconds = 0, fraction = 0;
};

// struct sigevent of the kernel.
struct Event {
  std::uint64_t value = 0;
  std::int32_t signal = 0, notify = 0, thread = 0;
  std::int32_t padding[11] = {};
};
static_assert(sizeof(Event) == 64);

image::Interval interval_of(const Setting& s) {
  return {.interval_seconds = s.interval_seconds,
          .interval_fraction = s.interval_fraction,
          .seconds = s.seconds,
          .fraction = s.fraction};
}
Setting setting_of(const image::Interval& i) {
  return {.interval_seconds = i.interval_seconds,
          .interval_fraction = i.interval_fraction,
          .seconds = i.seconds,
          .fraction = i.fraction};
}

remote::Pointer slot(remote::Pointer first, std::size_t index) {
  return remote::Pointer(first.value() + index * sizeof(Setting));
}

Failure unreadable(std::string_view line) {
  return fail("'" + std::string(line) + "' is no line of /proc/PID/timers");
}

// "signal: 14/00007fff12345678", "notify: signal/tid.12", "ClockID: 1".
Result<void> read_line(std::string_view line, std::vector<image::PosixTimer>& timers) {
  const auto halves = cut(line, ':');
  if (!halves) return unreadable(line);
  const std::string_view value = trimmed(halves->after);
  if (halves->before == "ID") {
    const auto id = number(value);
    if (!id) return unreadable(line);
    timers.push_back({.id = static_cast<std::int32_t>(*id)});
    return {};
  }
  if (timers.empty()) return unreadable(line);
  image::PosixTimer& timer = timers.back();
  if (halves->before == "signal") {
    const auto parts = cut(value, '/');
    const auto signal = parts ? number(parts->before) : std::nullopt;
    const auto data = parts ? unsigned_number(parts->after, 16) : std::nullopt;
    if (!signal || !data) return unreadable(line);
    timer.signal = static_cast<std::int32_t>(*signal);
    timer.value = *data;
  } else if (halves->before == "notify") {
    const auto parts = cut(value, '/');
    const auto whom = parts ? cut(parts->after, '.') : std::nullopt;
    const auto tid = whom ? number(whom->after) : std::nullopt;
    if (!tid) return unreadable(line);
    timer.notify = parts->before == "none" ? SIGEV_NONE : SIGEV_SIGNAL;
    if (whom->before == "tid") {
      timer.notify |= SIGEV_THREAD_ID;
      timer.thread = InnerPid(static_cast<std::int32_t>(*tid));
    }
  } else if (halves->before == "ClockID") {
    const auto clock = number(value);
    if (!clock) return unreadable(line);
    timer.clock = static_cast<std::int32_t>(*clock);
  }
  return {};
}

}  // namespace

Result<void> dump_timers(const Process& process, image::Process& record) {
  const std::string text = TRY(process.facts.text("timers"));
  for (const std::string_view line : split(text, '\n'))
    if (!line.empty()) TRY(read_line(line, record.timers));
  return {};
}

TimerAnswers ask_timers(remote::Batch& batch, const image::Process& record) {
  TimerAnswers answers;
  answers.intervals = batch.room(interval_timers * sizeof(Setting));
  for (int which = 0; which < interval_timers; ++which)
    batch.call(call::getitimer, which, slot(answers.intervals, static_cast<std::size_t>(which)));
  answers.settings = batch.room(record.timers.size() * sizeof(Setting));
  for (std::size_t i = 0; i < record.timers.size(); ++i) {
    batch.call(call::timer_gettime, record.timers[i].id, slot(answers.settings, i));
    answers.overruns.push_back(batch.call(call::timer_getoverrun, record.timers[i].id));
  }
  return answers;
}

Result<void> read_answers(const remote::Batch& batch, const TimerAnswers& answers,
                          image::Process& record) {
  for (std::size_t which = 0; which < interval_timers; ++which)
    record.interval_timers.push_back(
        interval_of(batch.get<Setting>(slot(answers.intervals, which))));
  for (std::size_t i = 0; i < record.timers.size(); ++i) {
    record.timers[i].setting = interval_of(batch.get<Setting>(slot(answers.settings, i)));
    record.timers[i].overrun = static_cast<std::int32_t>(TRY(batch.answer(answers.overruns[i])));
  }
  return {};
}

namespace {

void make_timer(remote::Batch& batch, const image::PosixTimer& timer) {
  const Event event{.value = timer.value,
                    .signal = timer.signal,
                    .notify = timer.notify,
                    .thread = timer.thread.value()};
  // The number wanted goes in where the one given comes out.
  batch.call(call::timer_create, timer.clock, batch.value(event), batch.value(timer.id));
}

}  // namespace

Result<void> restore_timers(Inside& in) {
  constexpr std::size_t data = 512;
  if (!in.process.timers.empty()) {
    TRY(in.session.make_room(in.batch, 2, data));
    in.batch.call(call::prctl, PR_TIMER_CREATE_RESTORE_IDS, 1, 0, 0, 0);
    for (const image::PosixTimer& timer : in.process.timers) {
      TRY(in.session.make_room(in.batch, 1, data));
      make_timer(in.batch, timer);
    }
    TRY(in.session.make_room(in.batch, 1, data));
    in.batch.call(call::prctl, PR_TIMER_CREATE_RESTORE_IDS, 0, 0, 0, 0);
  }
  for (const image::PosixTimer& timer : in.process.timers) {
    TRY(in.session.make_room(in.batch, 1, data));
    in.batch.call(call::timer_settime, timer.id, relative,
                  in.batch.value(setting_of(timer.setting)), 0);
  }
  TRY(in.session.make_room(in.batch, interval_timers, data));
  for (std::size_t which = 0; which < in.process.interval_timers.size(); ++which) {
    Setting setting = setting_of(in.process.interval_timers[which]);
    // It has gone off and goes on when its signal is delivered: the kernel shows no time left.
    if (setting.seconds == 0 && setting.fraction == 0) {
      setting.seconds = setting.interval_seconds;
      setting.fraction = setting.interval_fraction;
    }
    in.batch.call(call::setitimer, which, in.batch.value(setting), 0);
  }
  return {};
}

}  // namespace umbel::checkpoint
