// The linker puts all bare functions side by side and names both ends of them. A new stack, a jump
// to it, then everything but the two is unmapped. Beforehand the kernel must be told to forget what
// it writes to by itself: the area of rseq(2), which glibc has registered in memory of its own.
// Mappings that can't be unmapped (the vDSO, where it is sealed: Linux 6.16) stay.
#include "sys/bare.h"

#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

extern "C" const char __start_umbel_bare, __stop_umbel_bare;  // NOLINT: the linker's names

namespace umbel::sys {

namespace {

struct Run {
  void (*body)(long);
  long argument;
  std::uintptr_t code_begin, code_end, stack_begin, stack_end;
};

constexpr std::uintptr_t page = 4096;

// Unmaps what can be unmapped: in ever larger steps, and where that fails in ever smaller ones.
UMBEL_BARE_PART void unmap(std::uintptr_t begin, std::uintptr_t end) {
  std::uintptr_t step = end - begin;
  while (begin < end) {
    if (step > end - begin) step = end - begin;
    if (bare_call(SYS_munmap, static_cast<long>(begin), static_cast<long>(step)) == 0) {
      begin += step;
      step *= 2;
    } else if (step > page) {
      step = step / 2 / page * page;
    } else {
      begin += page;
    }
  }
}

UMBEL_BARE void begin(const Run* run) {
  const bool code_first = run->code_begin < run->stack_begin;
  const std::uintptr_t lower_begin = code_first ? run->code_begin : run->stack_begin;
  const std::uintptr_t lower_end = code_first ? run->code_end : run->stack_end;
  const std::uintptr_t upper_begin = code_first ? run->stack_begin : run->code_begin;
  const std::uintptr_t upper_end = code_first ? run->stack_end : run->code_end;
  unmap(page, lower_begin);
  unmap(lower_end, upper_begin);
  // How wide addresses are depends on processor and kernel: what is too wide is refused as a whole.
  for (int bits = 56; bits > 32; --bits) {
    const std::uintptr_t end = (std::uintptr_t{1} << bits) - page;
    if (end <= upper_end) break;
    const long answer = bare_call(SYS_munmap, static_cast<long>(end - page), page);
    if (answer < 0) continue;
    unmap(upper_end, end);
    break;
  }
  run->body(run->argument);
  __builtin_unreachable();
}

bool forget_rseq() {
  if (__rseq_size == 0) return true;
  char* area = static_cast<char*>(__builtin_thread_pointer()) + __rseq_offset;
  constexpr unsigned unregister = 1;
#if defined(__x86_64__)
  constexpr unsigned signature = 0x53053053;
#else
  constexpr unsigned signature = 0xd428bc00;
#endif
  constexpr unsigned long feature_size = 27;  // AT_RSEQ_FEATURE_SIZE
  const unsigned long newer = (::getauxval(feature_size) + 31) / 32 * 32;
  for (const unsigned long size : {32UL, newer})
    if (::syscall(SYS_rseq, area, size, unregister, signature) == 0) return true;
  return false;
}

}  // namespace

void run_bare(void (*body)(long), long argument) {
  constexpr std::size_t stack_size = 2 * page;
  void* stack = ::mmap(nullptr, stack_size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  const bool regular = ::sysconf(_SC_PAGESIZE) == static_cast<long>(page);
  if (stack == MAP_FAILED || !regular || !forget_rseq()) {
    body(argument);
    __builtin_unreachable();
  }
  const auto bottom = reinterpret_cast<std::uintptr_t>(stack);
  const auto code = reinterpret_cast<std::uintptr_t>(&__start_umbel_bare);
  const auto code_end = reinterpret_cast<std::uintptr_t>(&__stop_umbel_bare);
  constexpr std::uintptr_t room = 64;
  static_assert(sizeof(Run) <= room);
  auto* run = reinterpret_cast<Run*>(static_cast<char*>(stack) + stack_size - room);
  *run = Run{.body = body,
             .argument = argument,
             .code_begin = code / page * page,
             .code_end = (code_end + page - 1) / page * page,
             .stack_begin = bottom,
             .stack_end = bottom + stack_size};
#if defined(__x86_64__)
  asm volatile("mov %0, %%rsp; xor %%ebp, %%ebp; call *%2"
               :
               : "r"(run), "D"(run), "r"(begin)
               : "memory");
#else
  register Run* first asm("x0") = run;
  asm volatile("mov sp, %0; mov x29, xzr; blr %1" : : "r"(first), "r"(begin) : "memory");
#endif
  __builtin_unreachable();
}

}  // namespace umbel::sys
