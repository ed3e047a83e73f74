// A filter outlives the tables that it was made from. libseccomp 2.5.4 knows the calls of Linux 6.6
// and passes over the name of any later one; and a profile that refuses with EPERM whatever it does
// not list refuses calls that its author had never heard of. C libraries try a new call first and
// go back to the old one on ENOSYS, but take EPERM for an answer: that broke programs with
// faccessat2 and with clone3. So a few instructions in front of libseccomp's decide these two
// cases; runc does the second of them too, in the same way (a number above all that the profile
// lists is ENOSYS).
//
// For each ABI: numbers below the first one of interest leave after four instructions. Conditional
// jumps reach 255 instructions, so each only skips the one after it.
#include "security/seccomp_newer.h"

#include <linux/audit.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace umbel::security {

namespace {

struct Name {
  std::string_view name;
  std::uint32_t number;
};
constexpr std::array names = std::to_array<Name>({
    {"cachestat", 451},         {"fchmodat2", 452},        {"map_shadow_stack", 453},
    {"futex_wake", 454},        {"futex_wait", 455},       {"futex_requeue", 456},
    {"statmount", 457},         {"listmount", 458},        {"lsm_get_self_attr", 459},
    {"lsm_set_self_attr", 460}, {"lsm_list_modules", 461}, {"mseal", 462},
    {"setxattrat", 463},        {"getxattrat", 464},       {"listxattrat", 465},
    {"removexattrat", 466},     {"open_tree_attr", 467},   {"file_getattr", 468},
    {"file_setattr", 469},      {"listns", 470},
});

constexpr std::uint32_t x32_bit = 0x40000000;

sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}

class Assembler {
 public:
  std::size_t size() const { return code_.size(); }
  void add(sock_filter instruction) { code_.push_back(instruction); }
  void answer(std::uint32_t action) { add(BPF_STMT(BPF_RET | BPF_K, action)); }
  // Runs the next instruction only if the comparison holds.
  void only_if(std::uint16_t comparison, std::uint32_t value) {
    const auto code = static_cast<std::uint16_t>(BPF_JMP | BPF_K | comparison);
    add(BPF_JUMP(code, value, 0, 1));
  }
  void unless(std::uint16_t comparison, std::uint32_t value) {
    const auto code = static_cast<std::uint16_t>(BPF_JMP | BPF_K | comparison);
    add(BPF_JUMP(code, value, 1, 0));
  }
  // A jump whose target is given later, or never: then it is the end.
  std::size_t jump() {
    add(BPF_JUMP(BPF_JMP | BPF_JA, 0, 0, 0));
    jumps_.push_back({code_.size() - 1, no_target});
    return jumps_.size() - 1;
  }
  void here(std::size_t jump) { jumps_[jump].target = code_.size(); }
  std::vector<sock_filter> finish() {
    for (const Jump& jump : jumps_)
      code_[jump.at].k =
          static_cast<std::uint32_t>(std::min(jump.target, code_.size()) - jump.at - 1);
    return std::move(code_);
  }

 private:
  static constexpr std::size_t no_target = SIZE_MAX;
  struct Jump {
    std::size_t at, target;
  };
  std::vector<sock_filter> code_;
  std::vector<Jump> jumps_;
};

// With the number loaded.
void decide(Assembler& code, const NewerCalls& calls, const Abi& abi) {
  const std::uint32_t bit = abi.x32 ? x32_bit : 0;
  std::uint32_t first = calls.above ? abi.highest + 1 : UINT32_MAX;
  for (const NewerRule& rule : calls.rules) first = std::min(first, rule.number);
  code.unless(BPF_JGE, first | bit);
  code.jump();
  for (const NewerRule& rule : calls.rules) {
    code.only_if(BPF_JEQ, rule.number | bit);
    code.answer(rule.action);
  }
  if (calls.above) {
    code.only_if(BPF_JGT, abi.highest | bit);
    code.answer(*calls.above);
  }
  code.jump();
}

}  // namespace

std::optional<std::uint32_t> newer_system_call(std::string_view name) {
  const auto* found = std::ranges::find(names, name, &Name::name);
  if (found == names.end()) return std::nullopt;
  return found->number;
}

std::vector<sock_filter> newer_prologue(const NewerCalls& calls) {
  if (calls.rules.empty() && !calls.above) return {};
  Assembler code;
  code.add(load(offsetof(seccomp_data, arch)));
  std::vector<std::size_t> entries;
  const auto x32 = std::ranges::find(calls.abis, true, &Abi::x32);
  for (const Abi& abi : calls.abis) {
    if (abi.x32) continue;
    code.only_if(BPF_JEQ, abi.arch);
    entries.push_back(code.jump());
  }
  code.jump();  // an architecture that the profile has not: libseccomp's program ends it
  std::size_t entry = 0;
  for (const Abi& abi : calls.abis) {
    if (abi.x32) continue;
    code.here(entries[entry++]);
    code.add(load(offsetof(seccomp_data, nr)));
    const bool shared = x32 != calls.abis.end() && x32->arch == abi.arch;
    if (shared || abi.arch == AUDIT_ARCH_X86_64) {
      code.only_if(BPF_JGE, x32_bit);
      const std::size_t marked = code.jump();
      decide(code, calls, abi);
      if (!shared) continue;
      code.here(marked);
      decide(code, calls, *x32);
    } else {
      decide(code, calls, abi);
    }
  }
  return code.finish();
}

}  // namespace umbel::security
