// The thread runs with every signal blocked but one whose default is to be ignored; a tracer sees
// even an ignored signal, so sending that one to oneself is a stop that harms nobody when no tracer
// is left to see it. (A breakpoint would kill then, and would reset a SIGTRAP that is blocked or
// ignored.) The mask is put back before the registers: at every moment either the way back or the
// registers lead to what the thread was doing. It keeps its own stack pointer, so that a signal
// that is handled without umbel finds room for its frame.
#include "checkpoint/remote/session.h"

#include <elf.h>
#include <signal.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "checkpoint/remote/stub.h"
#include "checkpoint/remote/way_back.h"
#include "sys/ptrace.h"

namespace umbel::checkpoint::remote {

namespace {

constexpr std::uint64_t bit(int signal) { return std::uint64_t{1} << (signal - 1); }
constexpr std::uint64_t user_code = 0x33, user_stack = 0x2b;  // 64-bit segments
constexpr std::size_t extended_room = 16 * 1024;

std::string named(const ThreadId& thread) { return "thread " + std::to_string(thread.tid.value()); }

// Caused by an instruction of the stub, not sent by anybody.
bool is_fault(const siginfo_t& info) {
  static constexpr std::array faults{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGTRAP};
  return info.si_code > 0 && std::ranges::find(faults, info.si_signo) != faults.end();
}

}  // namespace

Result<Cpu> read_cpu(HostPid tid) {
  Cpu cpu;
  cpu.registers = TRY(sys::get_registers(tid));
  cpu.extended = TRY(sys::get_register_set(tid, NT_X86_XSTATE, extended_room));
  cpu.mask = TRY(sys::get_signal_mask(tid));
  return cpu;
}

Result<void> write_cpu(HostPid tid, const Cpu& cpu) {
  if (!cpu.extended.empty()) TRY(sys::set_register_set(tid, NT_X86_XSTATE, cpu.extended));
  TRY(sys::set_signal_mask(tid, cpu.mask));
  return sys::set_registers(tid, cpu.registers);
}

Result<void> put_back(HostPid tid, const Cpu& cpu) {
  TRY(persist([&] { return sys::set_signal_mask(tid, cpu.mask); }));
  return persist([&] { return sys::set_registers(tid, cpu.registers); });
}

int quiet_signal(std::uint64_t pending, std::uint64_t caught) {
  static constexpr std::array candidates{SIGURG, SIGWINCH, SIGCHLD};
  for (const std::uint64_t avoided : {pending | caught, pending})
    for (const int signal : candidates)
      if ((avoided & bit(signal)) == 0) return signal;
  return SIGURG;
}

Session::Session(Session&& other) noexcept
    : thread_(other.thread_),
      scratch_(other.scratch_),
      cpu_(std::move(other.cpu_)),
      end_signal_(other.end_signal_),
      foreign_(other.foreign_),
      entered_(std::exchange(other.entered_, false)),
      held_(std::move(other.held_)) {}

Session::~Session() {
  if (entered_) (void)leave();
}

Result<Session> Session::enter(const ThreadId& thread, Scratch& scratch, Cpu cpu, int end_signal) {
  Session made(thread, scratch, std::move(cpu), end_signal);
  const Pointer home(scratch.code().value() + stub().way_back);
  // Without its call: the batch jumps to where the mask is put back.
  const Pointer start(home.value() - way_back_entry);
  const std::vector<std::uint8_t> code = way_back(made.cpu_, start);
  TRY(scratch.write(home, std::span(code).subspan(way_back_entry)));
  made.foreign_ = true;
  made.entered_ = true;
  return made;
}

Result<Session> Session::own(const ThreadId& thread, Scratch& scratch, int end_signal) {
  Session made(thread, scratch, Cpu{}, end_signal);
  made.cpu_.registers = TRY(sys::get_registers(thread.tid));
  return made;
}

// Puts the records, the ones that end them, and the data where the target will find them.
Result<void> Session::place(Batch& batch) {
  const Pointer records = scratch_->place().records;
  const std::size_t size = batch.records_.size() * sizeof(Record);
  Batch closing(
      Place{.records = Pointer(records.value() + size), .record_bytes = 4 * sizeof(Record)});
  closing.attempt(call::tgkill, thread_.inner_pid.value(), thread_.inner_tid.value(), end_signal_);
  if (foreign_)
    closing.go_back();
  else
    closing.attempt(call::exit_group, 1);
  const auto bytes = [](const std::vector<Record>& list) {
    return std::span(reinterpret_cast<const std::uint8_t*>(list.data()),
                     list.size() * sizeof(Record));
  };
  TRY(scratch_->write(records, bytes(batch.records_)));
  TRY(scratch_->write(Pointer(records.value() + size), bytes(closing.records_)));
  return scratch_->write(scratch_->place().data, batch.data_);
}

user_regs_struct Session::at_loop(std::uint64_t end) const {
  constexpr std::uint64_t plain_flags = 0x202;
  user_regs_struct registers = cpu_.registers;
  registers.orig_rax = static_cast<std::uint64_t>(-1);  // no system call to restart
  registers.cs = user_code;
  registers.ss = user_stack;
  registers.eflags = plain_flags;
  registers.rbx = scratch_->place().records.value();
  registers.r13 = end;
  if (!foreign_) registers.rsp = scratch_->stack().value();
  registers.rip = scratch_->code().value() + stub().loop_entry;
  if (scratch_->fresh()) {
    registers.rip = scratch_->code().value() + stub().call_entry;
    registers.rax = SYS_mprotect;
    registers.rdi = scratch_->base().value() + page;
    registers.rsi = Scratch::size - page;
    registers.rdx = PROT_READ | PROT_WRITE;  // giving PROT_EXEC up is allowed to everyone
  }
  return registers;
}

Result<void> Session::start(Batch& batch) {
  const std::uint64_t end =
      scratch_->place().records.value() + batch.records_.size() * sizeof(Record);
  TRY(place(batch));
  // Registers first: with these signals blocked and the old registers, a thread that loses its
  // tracer would go on deaf.
  TRY(sys::set_registers(thread_.tid, at_loop(end)));
  TRY(sys::set_signal_mask(thread_.tid, ~bit(end_signal_)));
  TRY(sys::resume(thread_.tid));
  scratch_->used();
  return wait_until_done(end);
}

Result<void> Session::place_last(SystemCall what, std::uint64_t argument) {
  Batch batch(scratch_->place());
  batch.attempt(what, argument);
  TRY(place(batch));
  return sys::set_registers(thread_.tid,
                            at_loop(scratch_->place().records.value() + sizeof(Record)));
}

Result<void> Session::finish(SystemCall what, std::uint64_t argument) {
  TRY(place_last(what, argument));
  return sys::resume(thread_.tid);
}

Result<void> Session::finish_alone(SystemCall what, std::uint64_t argument) {
  TRY(place_last(what, argument));
  return sys::detach(thread_.tid);
}

Result<bool> Session::is_end(int signal, std::uint64_t end_record) const {
  if (signal != end_signal_) return false;
  const user_regs_struct registers = TRY(persist([&] { return sys::get_registers(thread_.tid); }));
  return registers.rbx == end_record &&
         registers.rip == scratch_->code().value() + stub().after_call;
}

Result<void> Session::wait_until_done(std::uint64_t end_record) {
  for (;;) {
    const sys::Stop stop = TRY(persist([&] { return sys::wait_stop(thread_.tid); }));
    if (stop.ended())
      return fail_with(ESRCH, named(thread_) + " ended while it made calls for umbel");
    if (stop.why == sys::Stop::Why::signal) {
      if (TRY(is_end(stop.signal, end_record))) return {};
      const siginfo_t info = TRY(sys::get_signal_info(thread_.tid));
      if (is_fault(info))
        return fail(named(thread_) + " got " + std::string(::sigabbrev_np(stop.signal)) +
                    " while it made calls for umbel");
      held_.push_back(stop.signal);
    }
    TRY(persist([&] { return sys::resume(thread_.tid); }));
  }
}

Result<void> Session::run(Batch& batch) {
  if (batch.empty()) return {};
  TRY(during(named(thread_), start(batch)));
  TRY(scratch_->read(scratch_->place().records,
                     {reinterpret_cast<std::uint8_t*>(batch.records_.data()),
                      batch.records_.size() * sizeof(Record)}));
  if (batch.has_rooms_) TRY(scratch_->read(scratch_->place().data, batch.data_));
  return during(named(thread_), batch.outcome());
}

Result<void> Session::make_room(Batch& batch, std::size_t calls, std::size_t data) {
  if (batch.fits(calls, data)) return {};
  TRY(run(batch));
  batch.clear();
  return {};
}

Result<void> Session::leave() {
  entered_ = false;
  // The extended state is untouched: the stub uses none of it.
  return put_back(thread_.tid, cpu_);
}

}  // namespace umbel::checkpoint::remote
