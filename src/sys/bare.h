// A process that gives up nearly all of its memory: no heap, no libc, no data, no environment; what
// is left is one function's code and a small stack. For small servants that live as long as a
// container and should cost and know nothing.
#pragma once

#include <cstdint>

namespace umbel::sys {

// A function that may run there. It must call nothing but functions of this header, and use no
// constants that a compiler would put into memory (texts, tables).
#define UMBEL_BARE                                                    \
  __attribute__((section("umbel_bare"), noinline, no_stack_protector, \
                 no_sanitize("address", "undefined")))
// Part of such a function.
#define UMBEL_BARE_PART __attribute__((always_inline, no_sanitize("address", "undefined"))) inline

// The kernel's answer: negative is -errno.
UMBEL_BARE_PART long bare_call(long number, long a = 0, long b = 0, long c = 0, long d = 0) {
#if defined(__x86_64__)
  long answer = number;
  register long fourth asm("r10") = d;
  asm volatile("syscall"
               : "+a"(answer)
               : "D"(a), "S"(b), "d"(c), "r"(fourth)
               : "rcx", "r11", "memory");
  return answer;
#elif defined(__aarch64__)
  register long what asm("x8") = number;
  register long first asm("x0") = a;
  register long second asm("x1") = b;
  register long third asm("x2") = c;
  register long fourth asm("x3") = d;
  asm volatile("svc 0" : "+r"(first) : "r"(what), "r"(second), "r"(third), "r"(fourth) : "memory");
  return first;
#else
#error "no bare system calls for this processor yet"
#endif
}

// Runs `body`, which must be UMBEL_BARE and never return. Where the memory can't be given up, it
// runs all the same.
[[noreturn]] void run_bare(void (*body)(long), long argument);

}  // namespace umbel::sys
