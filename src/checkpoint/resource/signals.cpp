// rt_sigaction(2) with the kernel's own struct, restorer included: the C library's hides it.
// SIGKILL and SIGSTOP have no action. Children that were made as zombies have left a SIGCHLD
// pending, which an action of SIG_IGN throws away before the saved one is put in.
#include "checkpoint/resource/signals.h"

#include <signal.h>

#include "sys/ptrace.h"

namespace umbel::checkpoint {

namespace {

namespace call = remote::call;

constexpr int signals = 64;
constexpr std::size_t mask_size = 8;

struct KernelAction {
  std::uint64_t handler = 0, flags = 0, restorer = 0, mask = 0;
};

bool has_action(int signal) { return signal != SIGKILL && signal != SIGSTOP; }

remote::Pointer slot(remote::Pointer actions, int signal) {
  return remote::Pointer(actions.value() +
                         static_cast<std::uint64_t>(signal - 1) * sizeof(KernelAction));
}

}  // namespace

SignalAnswers ask_signals(remote::Batch& batch) {
  const SignalAnswers answers{.actions = batch.room(signals * sizeof(KernelAction))};
  for (int signal = 1; signal <= signals; ++signal)
    if (has_action(signal))
      batch.call(call::rt_sigaction, signal, 0, slot(answers.actions, signal), mask_size);
  return answers;
}

void read_answers(const remote::Batch& batch, const SignalAnswers& answers,
                  image::Process& record) {
  for (int signal = 1; signal <= signals; ++signal) {
    const auto action = batch.get<KernelAction>(slot(answers.actions, signal));
    record.actions.push_back({.handler = action.handler,
                              .flags = action.flags,
                              .restorer = action.restorer,
                              .mask = action.mask});
  }
}

Result<void> dump_pending(const Process& process, image::Process& record) {
  const auto read = [](HostPid tid, sys::Queue queue) -> Result<std::vector<image::Bytes>> {
    std::vector<image::Bytes> pending;
    for (const siginfo_t& info : TRY(sys::pending_signals(tid, queue))) {
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(&info);
      pending.emplace_back(bytes, bytes + sizeof info);
    }
    return pending;
  };
  record.pending = TRY(read(process.alive(), sys::Queue::process));
  for (std::size_t i = 0; i < process.threads.size(); ++i)
    record.threads[i].pending = TRY(read(process.threads[i].id.tid, sys::Queue::thread));
  return {};
}

Result<void> restore_signals(Inside& in) {
  constexpr std::size_t bytes = signals * sizeof(KernelAction) + 4096;
  TRY(in.session.make_room(in.batch, signals + 1, bytes));
  const KernelAction ignored{.handler = reinterpret_cast<std::uintptr_t>(SIG_IGN)};
  in.batch.call(call::rt_sigaction, SIGCHLD, in.batch.value(ignored), 0, mask_size);
  for (int signal = 1; signal <= static_cast<int>(in.process.actions.size()); ++signal) {
    const image::Action& action = in.process.actions[static_cast<std::size_t>(signal - 1)];
    if (!has_action(signal)) continue;
    const KernelAction wanted{.handler = action.handler,
                              .flags = action.flags,
                              .restorer = action.restorer,
                              .mask = action.mask};
    in.batch.call(call::rt_sigaction, signal, in.batch.value(wanted), 0, mask_size);
  }
  return {};
}

Result<void> restore_pending(Inside& in) {
  for (const image::Bytes& info : in.process.pending) {
    TRY(in.session.make_room(in.batch, 1, info.size() + 64));
    in.batch.call(call::rt_sigqueueinfo, in.process.pid.value(), static_cast<int>(info[0]),
                  in.batch.bytes(info));
  }
  return {};
}

std::uint64_t pending_mask(const image::Process& process) {
  std::uint64_t mask = 0;
  const auto add = [&](const image::Bytes& info) {
    if (!info.empty() && info[0] >= 1 && info[0] <= signals)
      mask |= std::uint64_t{1} << (info[0] - 1);
  };
  for (const image::Bytes& info : process.pending) add(info);
  for (const image::Thread& thread : process.threads)
    for (const image::Bytes& info : thread.pending) add(info);
  return mask;
}

}  // namespace umbel::checkpoint
