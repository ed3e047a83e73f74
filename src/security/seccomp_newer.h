// System calls newer than libseccomp or newer than the profile.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace umbel::security {

// The number of a system call that came after libseccomp's tables were written. All machines share
// the numbers from 424 on.
std::optional<std::uint32_t> newer_system_call(std::string_view name);

struct NewerRule {
  std::uint32_t number = 0, action = 0;  // SECCOMP_RET_*
};
// One ABI of the filter.
struct Abi {
  std::uint32_t arch = 0;     // as the kernel gives it to filters: AUDIT_ARCH_*
  bool x32 = false;           // shares x86-64's arch and marks its numbers with a bit
  std::uint32_t highest = 0;  // number that the profile speaks of, without that bit
};
struct NewerCalls {
  std::vector<Abi> abis;
  std::vector<NewerRule> rules;  // of two for the same number the first counts
  // What any number above the highest of its ABI gets.
  std::optional<std::uint32_t> above;
};

// Instructions to be put in front of libseccomp's program, into which they run on for every call
// that they don't decide. Empty if there is nothing to decide.
std::vector<sock_filter> newer_prologue(const NewerCalls& calls);

}  // namespace umbel::security
