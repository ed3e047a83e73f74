// What the profiles' files call the machine that this was compiled for.
#pragma once

#include <array>
#include <string_view>

namespace umbel::security {

// Which of the machines a line of the built-in profile is for.
enum Machine : unsigned { x86 = 1, arm = 2, ppc64 = 4, s390 = 8, riscv = 16, every_machine = 31 };

struct NativeMachine {
  Machine machine;
  std::string_view name;    // in libseccomp and the OCI specification
  std::string_view docker;  // in Docker's includes and excludes (Go's name)
  // The other ABIs whose programs its kernel runs.
  std::array<std::string_view, 2> others;
};

#if defined(__x86_64__)
constexpr NativeMachine native_machine{
    x86, "SCMP_ARCH_X86_64", "amd64", {"SCMP_ARCH_X86", "SCMP_ARCH_X32"}};
#elif defined(__aarch64__)
constexpr NativeMachine native_machine{arm, "SCMP_ARCH_AARCH64", "arm64", {"SCMP_ARCH_ARM"}};
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
constexpr NativeMachine native_machine{ppc64, "SCMP_ARCH_PPC64LE", "ppc64le", {}};
#elif defined(__s390x__)
constexpr NativeMachine native_machine{s390, "SCMP_ARCH_S390X", "s390x", {"SCMP_ARCH_S390"}};
#elif defined(__riscv) && __riscv_xlen == 64
constexpr NativeMachine native_machine{riscv, "SCMP_ARCH_RISCV64", "riscv64", {}};
#else
#error "seccomp: add this machine's names"
#endif

}  // namespace umbel::security
