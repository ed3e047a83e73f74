// Some of a thread shows in /proc or by ptrace, some only the thread itself can ask the kernel for.
// Everything here is a property of the thread, not of the process: names, alternate stacks,
// scheduling and, with bare system calls, also credentials.
#include "checkpoint/resource/thread.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/text.h"
#include "checkpoint/resource/credentials.h"
#include "sys/ptrace.h"
#include "sys/remote_memory.h"
#include "sys/scheduling.h"

namespace umbel::checkpoint {

namespace {

namespace call = remote::call;
using remote::Batch;
using remote::Pointer;

constexpr std::uint32_t ask_personality = 0xffffffff;
constexpr int io_priority_process = 1;
constexpr std::size_t processor_bytes = 1024;  // room for 8192 processors

// struct rseq_cs of linux/rseq.h.
struct CriticalSection {
  std::uint32_t version = 0, flags = 0;
  std::uint64_t start = 0, length = 0, abort = 0;
};

template <class T>
Result<T> read_value(HostPid pid, std::uint64_t address) {
  T value{};
  TRY(sys::read_memory(pid, address, {reinterpret_cast<std::uint8_t*>(&value), sizeof value}));
  return value;
}

Result<void> leave_critical_section(HostPid pid, const image::RestartableSequence& rseq,
                                    user_regs_struct& registers) {
  constexpr std::uint64_t rseq_cs = 8;  // offset in struct rseq
  const auto address = TRY(read_value<std::uint64_t>(pid, rseq.address + rseq_cs));
  if (address == 0) return {};
  const auto section = TRY(read_value<CriticalSection>(pid, address));
  if (registers.rip - section.start < section.length) registers.rip = section.abort;
  return {};
}

Result<bool> is_time(HostPid pid, std::uint64_t address) {
  constexpr std::int64_t second = 1'000'000'000;
  const Result<timespec> time = read_value<timespec>(pid, address);
  if (!time && time.error().code != EFAULT) return Failure(time.error());
  return time && time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < second;
}

// For a call made through syscall(3), which leaves no number in the code: by its arguments.
Result<std::optional<std::uint64_t>> guessed_call(HostPid pid, const user_regs_struct& registers) {
  constexpr std::uint64_t clocks = 16, futex_operation = 0x7f, futex_wait = 0,
                          futex_wait_bitset = 9, most_operations = 0x200;
  const std::uint64_t operation = registers.rsi & futex_operation;
  const bool third = TRY(is_time(pid, registers.rdx));
  if (registers.rdi < clocks && registers.rsi == 0 && third) return SYS_clock_nanosleep;
  const bool fourth = TRY(is_time(pid, registers.r10));
  if (registers.rdi > clocks && registers.rsi < most_operations && fourth &&
      (operation == futex_wait || operation == futex_wait_bitset))
    return SYS_futex;
  return std::nullopt;
}

// The call that restart_syscall(2) goes on with: its number is lost once the kernel has put that of
// restart_syscall in its place, but a program loads it just before the instruction that makes it.
Result<std::optional<std::uint64_t>> interrupted_call(HostPid pid,
                                                      const user_regs_struct& registers) {
  if (registers.orig_rax != SYS_restart_syscall) return registers.orig_rax;
  constexpr std::uint64_t looked_at = 16, instruction = 2;
  constexpr std::uint8_t load_eax = 0xb8;
  static constexpr std::array<std::uint32_t, 4> restartable{SYS_nanosleep, SYS_clock_nanosleep,
                                                            SYS_poll, SYS_futex};
  std::array<std::uint8_t, looked_at> code{};
  TRY(sys::read_memory(pid, registers.rip - instruction - looked_at, code));
  for (std::size_t at = looked_at - 4; at-- > 0;) {
    std::uint32_t number = 0;
    std::memcpy(&number, &code[at + 1], sizeof number);
    if (code[at] == load_eax && std::ranges::find(restartable, number) != restartable.end())
      return number;
  }
  return guessed_call(pid, registers);
}

// A relative wait (nanosleep, poll, futex) that was interrupted by the dump is remembered by the
// kernel of this moment alone. Restored, it is made anew with its own arguments: it may then wait
// longer, by what it had waited before, and never comes back early.
Result<void> make_wait_again(HostPid pid, user_regs_struct& registers) {
  constexpr std::int64_t restart_block = -516;
  constexpr std::uint64_t instruction = 2;  // the length of syscall
  if (static_cast<std::int64_t>(registers.rax) != restart_block) return {};
  const std::optional<std::uint64_t> number = TRY(interrupted_call(pid, registers));
  if (!number) return {};
  registers.rax = *number;
  registers.orig_rax = static_cast<std::uint64_t>(-1);
  registers.rip -= instruction;
  return {};
}

Result<image::Seccomp> seccomp_of(const Process& process, const Thread& thread,
                                  const proc::Keyed& status) {
  image::Seccomp seccomp;
  seccomp.mode = static_cast<std::uint32_t>(TRY(status.number("Seccomp")));
  constexpr std::uint32_t filter_mode = 2;
  if (seccomp.mode != filter_mode) return seccomp;
  for (unsigned index = 0;; ++index) {
    auto program = TRY(during("reading the seccomp filters of " + process.named(),
                              sys::get_seccomp_filter(thread.id.tid, index)));
    if (!program) return seccomp;
    const std::uint64_t flags = TRY(sys::get_seccomp_flags(thread.id.tid, index));
    constexpr std::uint64_t new_listener = 8;
    if ((flags & new_listener) != 0)
      return fail(process.named() + " has a seccomp filter with a supervisor listening to it",
                  "such a filter can't be put back: end the supervisor's interest first");
    // The kernel counts from the newest; they go back in the order in which they came.
    seccomp.filters.insert(seccomp.filters.begin(),
                           {.program = std::move(*program), .flags = flags});
  }
}

}  // namespace

Result<remote::Cpu> read_thread_cpu(const Process& process, const Thread& thread,
                                    image::Thread& record) {
  remote::Cpu cpu = TRY(remote::read_cpu(thread.id.tid));
  constexpr std::uint64_t code_of_64_bits = 0x33;
  if (cpu.registers.cs != code_of_64_bits)
    return fail_with(EOPNOTSUPP, process.named() + " is a 32-bit program",
                     "only 64-bit programs can be checkpointed");
  const ptrace_rseq_configuration rseq = TRY(sys::get_rseq(thread.id.tid));
  record.rseq = {.address = rseq.rseq_abi_pointer,
                 .size = rseq.rseq_abi_size,
                 .signature = rseq.signature,
                 .flags = rseq.flags};
  if (record.rseq.address != 0)
    TRY(leave_critical_section(process.alive(), record.rseq, cpu.registers));
  record.blocked = cpu.mask;
  record.extended = cpu.extended;
  user_regs_struct saved = cpu.registers;
  TRY(make_wait_again(process.alive(), saved));
  const auto* registers = reinterpret_cast<const std::uint8_t*>(&saved);
  record.registers.assign(registers, registers + sizeof saved);
  return cpu;
}

Result<void> dump_thread(ProcessDump& process, const Thread& thread, const proc::Keyed& status,
                         image::Thread& record) {
  record.tid = thread.id.inner_tid;
  const proc::Stat stat = TRY(process.process->facts.stat(thread.id.tid));
  record.name = stat.name;
  record.credentials = TRY(credentials_of(status));
  record.seccomp = TRY(seccomp_of(*process.process, thread, status));
  return {};
}

ThreadAnswers ask_thread(Batch& batch) {
  ThreadAnswers answers;
  answers.alternate_stack = batch.room(sizeof(stack_t));
  batch.call(call::sigaltstack, 0, answers.alternate_stack);
  answers.clear_tid = batch.room(sizeof(std::uint64_t));
  batch.call(call::prctl, PR_GET_TID_ADDRESS, answers.clear_tid);
  answers.death_signal = batch.room(sizeof(int));
  batch.call(call::prctl, PR_GET_PDEATHSIG, answers.death_signal);
  answers.robust_list = batch.room(2 * sizeof(std::uint64_t));
  batch.call(call::get_robust_list, 0, answers.robust_list,
             Pointer(answers.robust_list.value() + sizeof(std::uint64_t)));
  answers.scheduling = batch.room(sizeof(sys::SchedulingAttributes));
  batch.call(call::sched_getattr, 0, answers.scheduling, sizeof(sys::SchedulingAttributes), 0);
  answers.processors = batch.room(processor_bytes);
  answers.affinity = batch.call(call::sched_getaffinity, 0, processor_bytes, answers.processors);
  answers.secure_bits = batch.call(call::prctl, PR_GET_SECUREBITS);
  answers.timer_slack = batch.call(call::prctl, PR_GET_TIMERSLACK);
  answers.personality = batch.call(call::personality, ask_personality);
  answers.io_priority = batch.call(call::ioprio_get, io_priority_process, 0);
  return answers;
}

Result<void> read_answers(const Batch& batch, const ThreadAnswers& answers, image::Thread& record) {
  const auto stack = batch.get<stack_t>(answers.alternate_stack);
  record.alternate_stack = {.address = reinterpret_cast<std::uintptr_t>(stack.ss_sp),
                            .size = stack.ss_size,
                            .flags = static_cast<std::uint32_t>(stack.ss_flags)};
  record.clear_tid = batch.get<std::uint64_t>(answers.clear_tid);
  record.parent_death_signal = batch.get<int>(answers.death_signal);
  const auto robust = batch.get<std::array<std::uint64_t, 2>>(answers.robust_list);
  record.robust_list = robust[0];
  record.robust_list_size = robust[1];
  record.credentials.secure_bits =
      static_cast<std::uint32_t>(TRY(batch.answer(answers.secure_bits)));
  record.personality = static_cast<std::uint32_t>(TRY(batch.answer(answers.personality)));
  const auto attributes = batch.get<sys::SchedulingAttributes>(answers.scheduling);
  record.scheduling = {.policy = attributes.policy,
                       .flags = attributes.flags,
                       .nice = attributes.nice,
                       .priority = attributes.priority,
                       .runtime = attributes.runtime,
                       .deadline = attributes.deadline,
                       .period = attributes.period,
                       .util_min = attributes.util_min,
                       .util_max = attributes.util_max};
  record.scheduling.io_priority = static_cast<std::int32_t>(TRY(batch.answer(answers.io_priority)));
  record.scheduling.timer_slack = TRY(batch.answer(answers.timer_slack));
  const std::uint64_t size = TRY(batch.answer(answers.affinity));
  const auto processors = batch.get_bytes(answers.processors, size);
  for (std::uint32_t cpu = 0; cpu < size * 8; ++cpu)
    if ((processors[cpu / 8] >> (cpu % 8) & 1) != 0) record.scheduling.processors.push_back(cpu);
  return {};
}

remote::Cpu cpu_of(const image::Thread& thread) {
  remote::Cpu cpu;
  std::memcpy(&cpu.registers, thread.registers.data(),
              std::min(thread.registers.size(), sizeof cpu.registers));
  cpu.extended = thread.extended;
  cpu.mask = thread.blocked;
  return cpu;
}

namespace {

void restore_scheduling(Batch& batch, const image::Scheduling& wanted) {
  const sys::SchedulingAttributes attributes{.policy = wanted.policy,
                                             .flags = wanted.flags,
                                             .nice = wanted.nice,
                                             .priority = wanted.priority,
                                             .runtime = wanted.runtime,
                                             .deadline = wanted.deadline,
                                             .period = wanted.period,
                                             .util_min = wanted.util_min,
                                             .util_max = wanted.util_max};
  batch.call(call::sched_setattr, 0, batch.value(attributes), 0);
  std::vector<std::uint8_t> mask(processor_bytes);
  for (const std::uint32_t cpu : wanted.processors)
    if (cpu / 8 < mask.size()) mask[cpu / 8] |= static_cast<std::uint8_t>(1 << (cpu % 8));
  // The machine may have other processors than the one of the checkpoint: then any will do.
  batch.attempt(call::sched_setaffinity, 0, processor_bytes, batch.bytes(mask));
  if (wanted.io_priority != 0)
    batch.call(call::ioprio_set, io_priority_process, 0, wanted.io_priority);
  batch.call(call::prctl, PR_SET_TIMERSLACK, wanted.timer_slack);
}

void restore_seccomp(Batch& batch, const image::Seccomp& seccomp) {
  constexpr std::uint32_t strict = 1;
  constexpr int set_mode_strict = 0, set_mode_filter = 1;
  constexpr std::uint64_t thread_sync = 1;
  if (seccomp.mode == strict) batch.call(call::seccomp, set_mode_strict, 0, 0);
  for (const image::SeccompFilter& filter : seccomp.filters) {
    struct {
      std::uint16_t length;
      std::uint64_t program;
    } const program{static_cast<std::uint16_t>(filter.program.size() / 8),
                    batch.bytes(filter.program).value()};
    // Each thread installs its own; TSYNC was how they came to have the same.
    batch.call(call::seccomp, set_mode_filter, filter.flags & ~thread_sync, batch.value(program));
  }
}

}  // namespace

Result<void> restore_thread(remote::Session& session, Batch& batch, const image::Process& process,
                            const image::Thread& thread, const image::Credentials& own) {
  constexpr std::size_t calls = 100, data = 4096;
  TRY(session.make_room(batch, calls, data));
  batch.call(call::prctl, PR_SET_NAME, batch.text(thread.name));
  const stack_t stack{.ss_sp = reinterpret_cast<void*>(thread.alternate_stack.address),
                      .ss_flags = static_cast<int>(thread.alternate_stack.flags & ~SS_ONSTACK),
                      .ss_size = thread.alternate_stack.size};
  batch.call(call::sigaltstack, batch.value(stack), 0);
  batch.call(call::set_tid_address, thread.clear_tid);
  if (thread.robust_list_size != 0)
    batch.call(call::set_robust_list, thread.robust_list, thread.robust_list_size);
  if (thread.rseq.address != 0)
    batch.call(call::rseq, thread.rseq.address, thread.rseq.size, thread.rseq.flags,
               thread.rseq.signature);
  batch.call(call::personality, thread.personality);
  restore_scheduling(batch, thread.scheduling);
  for (const image::Bytes& info : thread.pending) {
    TRY(session.make_room(batch, calls, data));
    const int signal = static_cast<int>(info[0]);
    batch.call(call::rt_tgsigqueueinfo, process.pid.value(), thread.tid.value(), signal,
               batch.bytes(info));
  }
  for (const image::SeccompFilter& filter : thread.seccomp.filters)
    TRY(session.make_room(batch, calls, data + filter.program.size()));
  restore_credentials(batch, thread.credentials, own,
                      [&] { restore_seccomp(batch, thread.seccomp); });
  if (thread.parent_death_signal != 0)
    batch.call(call::prctl, PR_SET_PDEATHSIG, thread.parent_death_signal);
  return {};
}

}  // namespace umbel::checkpoint
