// x86-64. rt_sigreturn(2) would do the same with a frame on some stack, but it forgets how to go on
// with an interrupted nanosleep, poll or futex. Flags: only the arithmetic ones are ever changed by
// the stub, and sahf sets all of them but OF, which an addition leaves as wanted.
#include "checkpoint/remote/way_back.h"

#include <signal.h>
#include <sys/syscall.h>

#include <array>

namespace umbel::checkpoint::remote {

namespace {

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

class Code {
 public:
  void bytes(std::initializer_list<std::uint8_t> some) {
    code_.insert(code_.end(), some.begin(), some.end());
  }
  void number(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i, value >>= 8) code_.push_back(static_cast<std::uint8_t>(value));
  }
  // mov REGISTER, value: registers are numbered as instructions number them.
  void load(unsigned index, std::uint64_t value) {
    constexpr unsigned wide = 0x48, extended = 1, move = 0xb8;
    code_.push_back(static_cast<std::uint8_t>(wide | (index >= 8 ? extended : 0)));
    code_.push_back(static_cast<std::uint8_t>(move | (index & 7)));
    number(value, 8);
  }
  std::size_t size() const { return code_.size(); }
  std::vector<std::uint8_t> take() { return std::move(code_); }

 private:
  std::vector<std::uint8_t> code_;
};

enum : unsigned { rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15 };

void load_flags(Code& code, std::uint64_t flags) {
  constexpr std::uint64_t overflow = 0x800;
  constexpr std::uint8_t about_to_overflow = 0x7f;
  // mov al, N; add al, 1; mov ah, low flags; sahf
  code.bytes({0xb0, (flags & overflow) != 0 ? about_to_overflow : std::uint8_t{0}, 0x04, 0x01});
  code.bytes({0xb4, static_cast<std::uint8_t>(flags), 0x9e});
}

void load_registers(Code& code, const user_regs_struct& r) {
  code.load(rbx, r.rbx);
  code.load(rcx, r.rcx);
  code.load(rdx, r.rdx);
  code.load(rbp, r.rbp);
  code.load(rsi, r.rsi);
  code.load(rdi, r.rdi);
  code.load(r8, r.r8);
  code.load(r9, r.r9);
  code.load(r10, r.r10);
  code.load(r11, r.r11);
  code.load(r12, r.r12);
  code.load(r13, r.r13);
  code.load(r14, r.r14);
  code.load(r15, r.r15);
  code.load(rax, r.rax);
}

}  // namespace

std::vector<std::uint8_t> way_back(const Cpu& cpu, Pointer at) {
  constexpr std::size_t mask_at = way_back_size - 8 - way_back_mark.size();
  user_regs_struct registers = cpu.registers;
  restart_system_call(registers);
  Code code;
  code.bytes({0x0f, 0x05});  // syscall
  code.load(rax, SYS_rt_sigprocmask);
  code.load(rdi, SIG_SETMASK);
  code.load(rsi, at.value() + mask_at);
  code.load(rdx, 0);
  code.load(r10, sizeof cpu.mask);
  code.bytes({0x0f, 0x05});
  load_flags(code, registers.eflags);
  load_registers(code, registers);
  code.bytes({0xff, 0x25, 0, 0, 0, 0});  // jmp [rip]: to the address that follows
  code.number(registers.rip, 8);
  ensure(code.size() <= mask_at, "the way back is longer than its room");
  while (code.size() < mask_at) code.bytes({0});
  code.number(cpu.mask, 8);
  std::vector<std::uint8_t> made = code.take();
  made.insert(made.end(), way_back_mark.begin(), way_back_mark.end());
  return made;
}

}  // namespace umbel::checkpoint::remote
