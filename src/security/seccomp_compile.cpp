// libseccomp takes a system call by the native machine's number and finds the other ABIs' numbers
// itself. Facts relied on (2.5.4): a rule that says what happens anyway is refused (EACCES); two
// comparisons of one argument in one rule are refused (EINVAL); an unconditional rule silently
// replaces conditional ones of the same call, and a later unconditional one changes nothing.
#include "security/seccomp_compile.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>

#include "base/text.h"
#include "security/seccomp_machine.h"
#include "security/seccomp_newer.h"
#include "sys/file.h"
#include "sys/seccomp.h"

namespace umbel::security {

namespace {

// To be raised when this file or seccomp_newer.cpp makes another program from the same profile.
constexpr std::string_view version_of_this = "umbel filter 2 ";

enum class Takes { nothing, number };  // an errno, or a tracer's message
// Whether the call may go on, if only for somebody to look at it.
enum class Kind { permits, refuses };
struct Action {
  std::string_view name;
  std::uint32_t value;
  Takes takes = Takes::nothing;
  Kind kind = Kind::refuses;
};
constexpr std::array actions = std::to_array<Action>({
    {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW, Takes::nothing, Kind::permits},
    {"SCMP_ACT_LOG", SCMP_ACT_LOG, Takes::nothing, Kind::permits},
    {"SCMP_ACT_TRACE", SCMP_ACT_TRACE(0), Takes::number, Kind::permits},
    {"SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY, Takes::nothing, Kind::permits},
    {"SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0), Takes::number},
    {"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
    {"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD},
    {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
    {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
});

struct Operator {
  std::string_view name;
  scmp_compare value;
};
constexpr std::array operators = std::to_array<Operator>({
    {"SCMP_CMP_NE", SCMP_CMP_NE},
    {"SCMP_CMP_LT", SCMP_CMP_LT},
    {"SCMP_CMP_LE", SCMP_CMP_LE},
    {"SCMP_CMP_EQ", SCMP_CMP_EQ},
    {"SCMP_CMP_GE", SCMP_CMP_GE},
    {"SCMP_CMP_GT", SCMP_CMP_GT},
    {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
});

struct Architecture {
  std::string_view name;
  std::uint32_t token;
};
constexpr std::array architectures = std::to_array<Architecture>({
    {"SCMP_ARCH_NATIVE", SCMP_ARCH_NATIVE},
    {"SCMP_ARCH_X86", SCMP_ARCH_X86},
    {"SCMP_ARCH_X86_64", SCMP_ARCH_X86_64},
    {"SCMP_ARCH_X32", SCMP_ARCH_X32},
    {"SCMP_ARCH_ARM", SCMP_ARCH_ARM},
    {"SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64},
    {"SCMP_ARCH_MIPS", SCMP_ARCH_MIPS},
    {"SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64},
    {"SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32},
    {"SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL},
    {"SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64},
    {"SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32},
    {"SCMP_ARCH_PPC", SCMP_ARCH_PPC},
    {"SCMP_ARCH_PPC64", SCMP_ARCH_PPC64},
    {"SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE},
    {"SCMP_ARCH_S390", SCMP_ARCH_S390},
    {"SCMP_ARCH_S390X", SCMP_ARCH_S390X},
    {"SCMP_ARCH_PARISC", SCMP_ARCH_PARISC},
    {"SCMP_ARCH_PARISC64", SCMP_ARCH_PARISC64},
    {"SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64},
});

struct Flag {
  std::string_view name;
  std::uint32_t value;
};
// The last came with Linux 5.19, after some distributions' headers.
constexpr std::uint32_t wait_killable_recv = 1U << 5U;
constexpr std::array flags = std::to_array<Flag>({
    {"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
    {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
    {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", wait_killable_recv},
});

template <class Table>
Result<typename Table::value_type> known(const Table& table, std::string_view name,
                                         std::string_view what) {
  const auto* found = std::ranges::find(table, name, &Table::value_type::name);
  if (found != table.end()) return *found;
  std::vector<std::string_view> names;
  for (const auto& row : table) names.push_back(row.name);
  const std::optional<std::string_view> meant = nearest(name, names);
  return fail("'" + std::string(name) + "' is no seccomp " + std::string(what),
              meant ? "did you mean " + std::string(*meant) + "?"
                    : "the OCI runtime specification lists them");
}

// libseccomp answers with a negative errno.
Result<void> answered(int answer, std::string_view call) {
  if (answer >= 0) return {};
  return Failure(Error{.code = -answer, .call = std::string(call)});
}

struct Verdict {
  std::uint32_t value = 0;
  Kind kind = Kind::refuses;
};

Result<Verdict> verdict(const std::string& name, std::optional<std::uint32_t> number) {
  const Action action = TRY(known(actions, name, "action"));
  if (action.takes == Takes::number) {
    const std::uint32_t data = number.value_or(EPERM);
    if (data > SECCOMP_RET_DATA)
      return fail("errnoRet " + std::to_string(data) + " is above 65535");
    return Verdict{action.value | data, action.kind};
  }
  if (number) return fail(name + " takes no errnoRet", "leave errnoRet out");
  return Verdict{action.value, action.kind};
}

class Compiler {
 public:
  Result<Filter> run(const Seccomp& profile);

 private:
  using Context = std::unique_ptr<void, decltype(&::seccomp_release)>;

  Result<void> add_architectures(const Seccomp& profile);
  Result<void> add(const SeccompRule& rule);
  Result<void> add(const std::string& name, const Verdict& action,
                   std::span<const scmp_arg_cmp> when);
  Result<std::vector<std::uint8_t>> program() const;
  NewerCalls newer() const;

  Context context_{nullptr, ::seccomp_release};
  Verdict default_;
  std::vector<std::uint32_t> tokens_;  // of the architectures
  std::vector<Abi> abis_;              // the same, as the kernel sees them
  std::vector<NewerRule> newer_;
  std::uint32_t newest_ = 0;  // number of a newer call that the profile names
};

Result<void> Compiler::add_architectures(const Seccomp& profile) {
  tokens_ = {::seccomp_arch_native()};
  for (const std::string& name : profile.architectures) {
    std::uint32_t token = TRY(known(architectures, name, "architecture")).token;
    if (token == SCMP_ARCH_NATIVE || token == tokens_.front()) continue;
    const int answer = ::seccomp_arch_add(context_.get(), token);
    if (answer == -EEXIST) continue;
    TRY(during(name, answered(answer, "seccomp_arch_add")));
    tokens_.push_back(token);
  }
  for (const std::uint32_t token : tokens_) {
    const bool x32 = token == SCMP_ARCH_X32;
    abis_.push_back({.arch = x32 ? SCMP_ARCH_X86_64 : token, .x32 = x32});
  }
  return {};
}

Result<std::vector<scmp_arg_cmp>> comparisons(const SeccompRule& rule) {
  std::vector<scmp_arg_cmp> made;
  for (const SeccompArgument& argument : rule.args) {
    const Operator op = TRY(known(operators, argument.op, "operator"));
    if (argument.index > 5)
      return fail("a system call has no argument number " + std::to_string(argument.index),
                  "count from 0 to 5");
    made.push_back({argument.index, op.value, argument.value, argument.value_two});
  }
  return made;
}

Result<void> Compiler::add(const SeccompRule& rule) {
  const Verdict action = TRY(verdict(rule.action, rule.errno_value));
  const std::vector<scmp_arg_cmp> when = TRY(comparisons(rule));
  const bool alternatives = std::ranges::any_of(when, [&](const scmp_arg_cmp& a) {
    return std::ranges::count(when, a.arg, &scmp_arg_cmp::arg) > 1;
  });
  for (const std::string& name : rule.names) {
    if (!alternatives) {
      TRY(during("the rule for " + name, add(name, action, when)));
      continue;
    }
    for (const scmp_arg_cmp& one : when)
      TRY(during("the rule for " + name, add(name, action, std::span(&one, 1))));
  }
  return {};
}

Result<void> Compiler::add(const std::string& name, const Verdict& action,
                           std::span<const scmp_arg_cmp> when) {
  const int number = ::seccomp_syscall_resolve_name(name.c_str());
  if (number == __NR_SCMP_ERROR) {
    const std::optional<std::uint32_t> newer = newer_system_call(name);
    if (!newer) return {};
    newest_ = std::max(newest_, *newer);
    // Arguments are not looked at there: in doubt the call stays refused.
    if (when.empty() || action.kind == Kind::refuses) newer_.push_back({*newer, action.value});
    return {};
  }
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    const int there = ::seccomp_syscall_resolve_name_arch(tokens_[i], name.c_str());
    // Negative numbers stand for calls that this ABI has not.
    if (there < 0) continue;
    const std::uint32_t plain = static_cast<std::uint32_t>(there) & 0x3fffffff;
    abis_[i].highest = std::max(abis_[i].highest, plain);
  }
  if (action.value == default_.value) return {};
  return answered(::seccomp_rule_add_array(context_.get(), action.value, number,
                                           static_cast<unsigned>(when.size()), when.data()),
                  "seccomp_rule_add");
}

NewerCalls Compiler::newer() const {
  NewerCalls calls{.abis = abis_, .rules = newer_};
  for (Abi& abi : calls.abis) abi.highest = std::max(abi.highest, newest_);
  const std::uint32_t unknown = SCMP_ACT_ERRNO(ENOSYS);
  if (default_.kind == Kind::refuses && default_.value != unknown) calls.above = unknown;
  return calls;
}

// libseccomp writes to a descriptor only.
Result<std::vector<std::uint8_t>> Compiler::program() const {
  const Fd file = TRY(sys::memory_file("filter"));
  TRY(answered(::seccomp_export_bpf(context_.get(), file.number()), "seccomp_export_bpf"));
  const Fd again = TRY(sys::reopen(file, O_RDONLY));
  const std::string rest = TRY(sys::read_all(again));
  const std::vector<sock_filter> first = newer_prologue(newer());
  std::vector<std::uint8_t> made(first.size() * sizeof(sock_filter));
  if (!first.empty()) std::memcpy(made.data(), first.data(), made.size());
  made.insert(made.end(), rest.begin(), rest.end());
  if (made.size() / sizeof(sock_filter) > BPF_MAXINSNS)
    return fail("the seccomp profile needs " + std::to_string(made.size() / sizeof(sock_filter)) +
                    " instructions, and the kernel takes 4096",
                "use fewer rules with arguments, or fewer architectures");
  return made;
}

Result<std::uint32_t> flag_bits(const Seccomp& profile) {
  // With no word on it, the mitigation that costs every program in a filter is not asked for: since
  // Linux 5.16 that is the kernel's own choice too, and runc's.
  if (!profile.flags) return SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  std::uint32_t bits = 0;
  for (const std::string& name : *profile.flags) {
    const Flag flag = TRY(known(flags, name, "flag"));
    bits |= flag.value;
  }
  return bits;
}

Result<Filter> Compiler::run(const Seccomp& profile) {
  default_ = TRY(verdict(profile.default_action, profile.default_errno));
  if (profile.default_action == "SCMP_ACT_NOTIFY")
    return fail("the default action can't be SCMP_ACT_NOTIFY",
                "list the system calls to be notified of");
  context_.reset(::seccomp_init(default_.value));
  if (!context_)
    return fail("libseccomp does not take the default action " + profile.default_action);
  TRY(add_architectures(profile));
  for (const SeccompRule& rule : profile.rules) TRY(add(rule));

  Filter filter;
  filter.flags = TRY(flag_bits(profile));
  filter.program = TRY(program());
  filter.listener = std::ranges::any_of(
      profile.rules, [](const SeccompRule& rule) { return rule.action == "SCMP_ACT_NOTIFY"; });
  if (filter.listener) {
    filter.flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // The kernel can answer with a listener or with the thread that could not follow, not both.
    if ((filter.flags & SECCOMP_FILTER_FLAG_TSYNC) != 0)
      filter.flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
  } else if ((filter.flags & wait_killable_recv) != 0) {
    return fail("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV without a rule that notifies",
                "leave the flag out");
  }
  return filter;
}

}  // namespace

Result<Filter> compile_profile(const Seccomp& profile) {
  Compiler compiler;
  return during("compiling the seccomp profile", compiler.run(profile));
}

std::string compiler_identity() {
  const scmp_version* library = ::seccomp_version();
  std::string text(version_of_this);
  text.append(native_machine.name).append(" ");
  for (const unsigned part : {library->major, library->minor, library->micro})
    text.append(std::to_string(part)).append(".");
  for (const Action& action : actions) text += sys::seccomp_has_action(action.value) ? '+' : '-';
  return text;
}

SeccompWords seccomp_words() {
  const auto names = [](const auto& table) {
    std::vector<std::string> made;
    for (const auto& entry : table) made.emplace_back(entry.name);
    return made;
  };
  return {.actions = names(actions),
          .operators = names(operators),
          .architectures = names(architectures),
          .flags = names(flags)};
}

}  // namespace umbel::security
