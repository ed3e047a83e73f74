// A stopped, traced thread that works for umbel for a while. What it was doing is put back by
// leave(), or by the destructor; and should umbel be killed in between, by the thread itself: every
// batch of a foreign thread ends with a signal that only a tracer sees and then with code that
// leads back to what it was doing.
#pragma once

#include <errno.h>
#include <signal.h>
#include <sys/user.h>

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "checkpoint/remote/batch.h"
#include "checkpoint/remote/scratch.h"

namespace umbel::checkpoint::remote {

// How the kernel and the process itself call a thread.
struct ThreadId {
  HostPid tid;
  InnerPid inner_pid, inner_tid;  // for tgkill, which the thread makes itself
};

// What a thread is doing.
struct Cpu {
  user_regs_struct registers{};
  std::vector<std::uint8_t> extended;  // NT_X86_XSTATE
  std::uint64_t mask = 0;              // of blocked signals, bit N - 1 for signal N
};
Result<Cpu> read_cpu(HostPid tid);
Result<void> write_cpu(HostPid tid, const Cpu& cpu);
// Mask and registers alone: what a batch changes.
Result<void> put_back(HostPid tid, const Cpu& cpu);

// For what puts a foreign thread back: giving up after one failure would harm the program.
template <class Step>
auto persist(Step step) {
  constexpr int tries = 3;
  auto outcome = step();
  for (int i = 1; i < tries && !outcome && outcome.error().code != ESRCH; ++i) outcome = step();
  return outcome;
}

// Among the signals whose default is to be ignored, one that is neither pending nor, if possible,
// handled: masks as in /proc/PID/status.
int quiet_signal(std::uint64_t pending, std::uint64_t caught);

class Session {
 public:
  // `cpu` is what leave() puts back. The scratch must outlive this.
  static Result<Session> enter(const ThreadId& thread, Scratch& scratch, Cpu cpu, int end_signal);
  // A thread of umbel's own making, with nothing to put back.
  static Result<Session> own(const ThreadId& thread, Scratch& scratch, int end_signal = SIGURG);

  Session(Session&& other) noexcept;
  Session& operator=(Session&&) = delete;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  Batch batch() const { return Batch(scratch_->place()); }
  // Makes the calls; the first that had to succeed and did not is the error.
  Result<void> run(Batch& batch);
  // Runs and empties it when fewer than so many calls or bytes would fit.
  Result<void> make_room(Batch& batch, std::size_t calls, std::size_t data = 0);
  // Starts one last call that does not come back, and does not wait for it.
  Result<void> finish(SystemCall what, std::uint64_t argument);
  // The same by a thread that is not traced any more.
  Result<void> finish_alone(SystemCall what, std::uint64_t argument);
  Result<void> leave();
  const ThreadId& thread() const { return thread_; }
  // Signals from others that stopped the thread meanwhile; they have to be sent again.
  const std::vector<int>& held_signals() const { return held_; }

 private:
  Session(const ThreadId& thread, Scratch& scratch, Cpu cpu, int end_signal)
      : thread_(thread), scratch_(&scratch), cpu_(std::move(cpu)), end_signal_(end_signal) {}
  Result<void> place(Batch& batch);
  Result<void> start(Batch& batch);
  Result<void> place_last(SystemCall what, std::uint64_t argument);
  user_regs_struct at_loop(std::uint64_t end) const;
  Result<void> wait_until_done(std::uint64_t end_record);
  Result<bool> is_end(int signal, std::uint64_t end_record) const;
  ThreadId thread_;
  Scratch* scratch_;
  Cpu cpu_;
  int end_signal_;
  bool foreign_ = false;  // it has a state to go back to
  bool entered_ = false;
  std::vector<int> held_;
};

}  // namespace umbel::checkpoint::remote
