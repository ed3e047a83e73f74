// For tests: what a filter's program answers, by the definition of classic BPF in seccomp(2) and
// linux/filter.h, so that thousands of system calls can be asked about without making them. That
// the kernel agrees is tested in seccomp_test.cpp.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace umbel::security {

inline bool jumps(const sock_filter& code, std::uint32_t a) {
  switch (BPF_OP(code.code)) {
    case BPF_JEQ:
      return a == code.k;
    case BPF_JGT:
      return a > code.k;
    case BPF_JGE:
      return a >= code.k;
    default:
      return (a & code.k) != 0;  // BPF_JSET
  }
}

// The SECCOMP_RET_* value; 0xbadbadba for a program that does what a filter never should.
inline std::uint32_t run_filter(std::span<const std::uint8_t> program, const seccomp_data& call) {
  constexpr std::uint32_t broken = 0xbadbadba;
  std::vector<sock_filter> codes(program.size() / sizeof(sock_filter));
  std::memcpy(codes.data(), program.data(), codes.size() * sizeof(sock_filter));
  std::uint32_t a = 0;
  for (std::size_t at = 0; at < codes.size(); ++at) {
    const sock_filter& code = codes[at];
    switch (BPF_CLASS(code.code)) {
      case BPF_LD:
        if (code.k + sizeof a > sizeof call) return broken;
        std::memcpy(&a, reinterpret_cast<const char*>(&call) + code.k, sizeof a);
        break;
      case BPF_ALU:
        if (BPF_OP(code.code) != BPF_AND) return broken;
        a &= code.k;
        break;
      case BPF_JMP:
        if (BPF_OP(code.code) == BPF_JA)
          at += code.k;
        else
          at += jumps(code, a) ? code.jt : code.jf;
        break;
      case BPF_RET:
        return code.k;
      default:
        return broken;
    }
  }
  return broken;
}

}  // namespace umbel::security
