// A thread may be born while the others are being stopped, so the list is read again until it holds
// nothing new. Only the interrupted thread itself can report that it has stopped; a signal that
// comes before that is delivered as it would have been, since the stop is still owed.
#include "checkpoint/freeze/seize.h"

#include <linux/ptrace.h>
#include <signal.h>

#include <algorithm>

#include "sys/capability.h"
#include "sys/process.h"
#include "sys/ptrace.h"

// Not in the kernel header of Debian 12 under all configurations.
#ifndef PTRACE_EVENT_STOP
#define PTRACE_EVENT_STOP 128
#endif

namespace umbel::checkpoint {

namespace {

using Clock = std::chrono::steady_clock;

Result<std::uint32_t> trace_options(const proc::Keyed& status) {
  std::uint32_t options = PTRACE_O_TRACESYSGOOD;
  const std::uint64_t seccomp = TRY(status.number("Seccomp"));
  // The calls that umbel makes in its name are not the program's, and its filter may kill for them.
  if (seccomp != 0) options |= PTRACE_O_SUSPEND_SECCOMP;
  return options;
}

Result<Thread> seize_thread(const Process& process, HostPid tid) {
  const proc::Keyed status = TRY(process.facts.status(tid));
  const std::uint32_t options = TRY(trace_options(status));
  const Result<void> seized = sys::seize(tid, options);
  if (!seized && seized.error().code == EPERM) {
    const std::uint64_t tracer = status.number("TracerPid").value_or(0);
    if (tracer != 0)
      return fail_with(EBUSY,
                       "thread " + std::to_string(tid.value()) + " of " + process.named() +
                           " is being traced by process " + std::to_string(tracer),
                       "end that debugger or tracer first");
  }
  if (!seized) return Failure(seized.error());
  const InnerPid inner = TRY(inspect::inner_pid(status));
  TRY(sys::interrupt(tid));
  return Thread{.id = {.tid = tid, .inner_pid = process.inner, .inner_tid = inner}, .seized = true};
}

// False when the thread has ended.
Result<bool> wait_stopped(const Process& process, Thread& thread, Clock::time_point until) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    const std::optional<sys::Stop> stop =
        TRY(sys::wait_stop(thread.id.tid, std::max(left, left.zero())));
    if (!stop)
      return fail_with(
          ETIMEDOUT,
          "thread " + std::to_string(thread.id.tid.value()) + " of " + process.named() +
              " does not stop: it waits inside the kernel where no signal reaches it",
          "a program that has called vfork() goes on when its child executes or ends; for anything "
          "else see /proc/PID/stack");
    if (stop->ended()) {
      thread.seized = false;
      return false;
    }
    if (stop->why == sys::Stop::Why::event && stop->event == PTRACE_EVENT_STOP) {
      if (stop->signal != SIGTRAP) thread.stopped_by = stop->signal;
      return true;
    }
    TRY(sys::resume(thread.id.tid, stop->why == sys::Stop::Why::signal ? stop->signal : 0));
  }
}

bool known(const Process& process, HostPid tid) {
  return std::ranges::any_of(process.threads, [&](const Thread& t) { return t.id.tid == tid; });
}

// It stays to be seen until the last of the others has ended.
bool ended_leader(const Process& process, HostPid tid) {
  if (tid != process.pid()) return false;
  const Result<proc::Stat> stat = process.facts.stat(tid);
  return stat && stat->state == 'Z';
}

// How many threads were new.
Result<std::size_t> seize_new(Process& process, Clock::time_point until) {
  const std::size_t before = process.threads.size();
  for (const HostPid tid : TRY(process.facts.threads())) {
    if (known(process, tid)) continue;
    Result<Thread> thread = seize_thread(process, tid);
    if (!thread && (gone(thread.error()) || ended_leader(process, tid))) continue;
    if (!thread) return Failure(thread.error());
    process.threads.push_back(std::move(*thread));
  }
  for (std::size_t i = before; i < process.threads.size(); ++i)
    TRY(wait_stopped(process, process.threads[i], until));
  std::erase_if(process.threads, [](const Thread& thread) { return !thread.seized; });
  return process.threads.size() > before ? process.threads.size() - before : 0;
}

}  // namespace

Result<void> seize(Process& process, Clock::time_point until) {
  process.stat = TRY(process.facts.stat());
  const proc::Keyed status = TRY(process.facts.status());
  process.inner = TRY(inspect::inner_pid(status));
  if (process.stat.state == 'Z' || process.stat.state == 'X') {
    const auto threads = TRY(process.facts.threads());
    if (threads.size() <= 1) return {};
  }
  while (TRY(seize_new(process, until)) != 0) {
  }
  if (process.threads.empty()) return fail_with(ESRCH, process.named() + " has ended");
  process.leader_ended = process.alive() != process.pid();
  if (process.leader_ended)
    process.facts = TRY(inspect::Process::through(process.pid(), process.alive()));
  // Everything about it may have changed until now, and can't from here on.
  process.stat = TRY(process.facts.stat());
  return {};
}

Result<void> detach(Process& process, int signal) {
  Result<void> outcome;
  for (Thread& thread : process.threads) {
    if (!thread.seized) continue;
    thread.seized = false;
    Result<void> done = sys::detach(thread.id.tid, signal);
    for (const int held : thread.held_signals)
      (void)sys::signal_thread(process.pid(), thread.id.tid, held);
    if (!done && !gone(done.error()) && outcome) outcome = std::move(done);
  }
  return outcome;
}

Result<void> kill(Process& process) {
  Result<void> outcome = sys::signal_thread(process.pid(), process.alive(), SIGKILL);
  // The tracer is told first; only when it has listened does the real parent hear of the end.
  for (auto thread = process.threads.rbegin(); thread != process.threads.rend(); ++thread) {
    if (!thread->seized) continue;
    thread->seized = false;
    for (;;) {
      const Result<sys::Stop> stop = sys::wait_stop(thread->id.tid);
      if (!stop || stop->ended()) break;
    }
  }
  if (!outcome && gone(outcome.error())) return {};
  return outcome;
}

}  // namespace umbel::checkpoint
