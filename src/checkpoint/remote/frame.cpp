// struct rt_sigframe of arch/x86: the return address, a ucontext, a siginfo that rt_sigreturn does
// not read. It expects the stack pointer at the ucontext. The extended state is what
// PTRACE_GETREGSET gives, in the same format, with the marks of struct _fpx_sw_bytes added.
#include "checkpoint/remote/frame.h"

#include <signal.h>
#include <sys/syscall.h>

#include <array>
#include <cstring>

namespace umbel::checkpoint::remote {

namespace {

// glibc's ucontext_t is longer than the kernel's.
struct KernelContext {
  std::uint64_t flags = 0, link = 0;
  std::uint64_t stack = 0;
  std::uint32_t stack_flags = 0, padding = 0;
  std::uint64_t stack_size = 0;
  sigcontext machine{};
  std::uint64_t mask = 0;
};

constexpr std::uint64_t fp_xstate = 1, sigcontext_ss = 2, strict_restore_ss = 4;
// Not a flag that sigaltstack knows: its EINVAL is what leaves the alternate stack as it is.
constexpr std::uint32_t keep_alternate_stack = 0xffff;
constexpr std::size_t software_bytes = 464;  // in the fxsave area; ptrace puts XCR0 there
constexpr std::uint64_t alignment = 64;

// What the kernel does on the way back to user mode when no handler runs: errno values beyond 511
// are its own.
void restart_system_call(user_regs_struct& registers) {
  constexpr std::int64_t restart_sys = -512, restart_nointr = -513, restart_nohand = -514,
                         restart_block = -516;
  if (static_cast<std::int64_t>(registers.orig_rax) < 0) return;
  switch (static_cast<std::int64_t>(registers.rax)) {
    case restart_sys:
    case restart_nointr:
    case restart_nohand:
      registers.rax = registers.orig_rax;
      break;
    case restart_block:
      registers.rax = SYS_restart_syscall;
      break;
    default:
      return;
  }
  constexpr std::uint64_t instruction = 2;  // the length of syscall and of int 0x80
  registers.rip -= instruction;
}

std::vector<std::uint8_t> marked(std::vector<std::uint8_t> extended) {
  _fpx_sw_bytes marks{};
  std::uint64_t features = 0;
  std::memcpy(&features, extended.data() + software_bytes, sizeof features);
  const std::uint32_t end_mark = 0x46505845;
  marks.magic1 = 0x46505853;
  marks.extended_size = static_cast<std::uint32_t>(extended.size() + sizeof end_mark);
  marks.xstate_bv = features;
  marks.xstate_size = static_cast<std::uint32_t>(extended.size());
  std::memcpy(extended.data() + software_bytes, &marks, sizeof marks);
  const std::size_t at = extended.size();
  extended.resize(at + sizeof end_mark);
  std::memcpy(extended.data() + at, &end_mark, sizeof end_mark);
  return extended;
}

sigcontext machine_state(user_regs_struct registers) {
  restart_system_call(registers);
  sigcontext machine{};
  machine.r8 = registers.r8;
  machine.r9 = registers.r9;
  machine.r10 = registers.r10;
  machine.r11 = registers.r11;
  machine.r12 = registers.r12;
  machine.r13 = registers.r13;
  machine.r14 = registers.r14;
  machine.r15 = registers.r15;
  machine.rdi = registers.rdi;
  machine.rsi = registers.rsi;
  machine.rbp = registers.rbp;
  machine.rbx = registers.rbx;
  machine.rdx = registers.rdx;
  machine.rax = registers.rax;
  machine.rcx = registers.rcx;
  machine.rsp = registers.rsp;
  machine.rip = registers.rip;
  machine.eflags = registers.eflags;
  machine.cs = static_cast<std::uint16_t>(registers.cs);
  // glibc's name for where the kernel has ss.
  machine.__pad0 = static_cast<std::uint16_t>(registers.ss);
  return machine;
}

}  // namespace

Frame make_frame(const Cpu& cpu, Pointer end) {
  const std::vector<std::uint8_t> extended = marked(cpu.extended);
  const std::uint64_t extended_at = (end.value() - extended.size()) / alignment * alignment;
  KernelContext context;
  const std::uint64_t context_at = (extended_at - sizeof context) / alignment * alignment;
  context.flags = fp_xstate | sigcontext_ss | strict_restore_ss;
  context.stack_flags = keep_alternate_stack;
  context.machine = machine_state(cpu.registers);
  context.machine.__fpstate_word = extended_at;
  context.mask = cpu.mask;
  Frame frame{.address = context_at, .stack = context_at};
  frame.bytes.resize(extended_at + extended.size() - context_at);
  std::memcpy(frame.bytes.data(), &context, sizeof context);
  std::memcpy(frame.bytes.data() + (extended_at - context_at), extended.data(), extended.size());
  return frame;
}

}  // namespace umbel::checkpoint::remote
