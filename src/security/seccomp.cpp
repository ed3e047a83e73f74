// libseccomp turns rules into BPF; it costs 2 ms for Docker's profile, so the program is kept in a
// file named by a hash of everything that it depends on. The file begins with a checksum of the
// rest: a torn or damaged one reads as absent. The directory is trusted only if nobody else can
// write to it.
#include "security/seccomp.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <span>

#include "base/record.h"
#include "security/seccomp_default.h"
#include "security/seccomp_machine.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/seccomp.h"

namespace umbel::security {

namespace {

// To be raised when compile() makes another program from the same profile.
constexpr std::string_view format = "umbel filter 1 ";

struct Action {
  std::string_view name;
  std::uint32_t value;
  bool has_number;  // an errno or a tracer's message goes with it
};
constexpr std::array actions = std::to_array<Action>({
    {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW, false},
    {"SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0), true},
    {"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD, false},
    {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD, false},
    {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS, false},
    {"SCMP_ACT_TRAP", SCMP_ACT_TRAP, false},
    {"SCMP_ACT_TRACE", SCMP_ACT_TRACE(0), true},
    {"SCMP_ACT_LOG", SCMP_ACT_LOG, false},
    {"SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY, false},
});

struct Operator {
  std::string_view name;
  scmp_compare value;
};
constexpr std::array operators =
    std::to_array<Operator>({{"SCMP_CMP_NE", SCMP_CMP_NE},
                             {"SCMP_CMP_LT", SCMP_CMP_LT},
                             {"SCMP_CMP_LE", SCMP_CMP_LE},
                             {"SCMP_CMP_EQ", SCMP_CMP_EQ},
                             {"SCMP_CMP_GE", SCMP_CMP_GE},
                             {"SCMP_CMP_GT", SCMP_CMP_GT},
                             {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ}});

struct Flag {
  std::string_view name;
  std::uint32_t value;
};
constexpr std::array flags = std::to_array<Flag>({
    {"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
    {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
    {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 1U << 5U},
});

template <class Table>
Result<typename Table::value_type> known(const Table& table, std::string_view name,
                                         std::string_view what) {
  const auto found = std::ranges::find(table, name, &Table::value_type::name);
  if (found != table.end()) return *found;
  return fail("the seccomp profile names the unknown " + std::string(what) + " '" +
              std::string(name) + "'");
}

Result<void> seccomp_call(int answer, std::string_view call) {
  if (answer == 0) return {};
  return Failure(Error{.code = -answer, .call = std::string(call)});
}

Result<std::uint32_t> action_value(const std::string& name, std::optional<std::uint32_t> number) {
  const Action action = TRY(known(actions, name, "action"));
  if (!action.has_number) return action.value;
  return action.value | (number.value_or(EPERM) & SECCOMP_RET_DATA);
}

using Context = std::unique_ptr<void, decltype(&::seccomp_release)>;

Result<void> add_architectures(const Context& context, const Seccomp& profile) {
  for (const std::string& name : profile.architectures) {
    std::string lower = name.starts_with("SCMP_ARCH_") ? name.substr(10) : name;
    std::ranges::transform(lower, lower.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
    const std::uint32_t arch = ::seccomp_arch_resolve_name(lower.c_str());
    if (arch == 0) return fail("the seccomp profile names the unknown architecture '" + name + "'");
    const int answer = ::seccomp_arch_add(context.get(), arch);
    if (answer != -EEXIST) TRY(during(name, seccomp_call(answer, "seccomp_arch_add")));
  }
  return {};
}

Result<std::vector<scmp_arg_cmp>> comparisons(const SeccompRule& rule) {
  std::vector<scmp_arg_cmp> made;
  for (const SeccompArgument& argument : rule.args) {
    const Operator op = TRY(known(operators, argument.op, "operator"));
    if (argument.index > 5)
      return fail("a system call has no argument number " + std::to_string(argument.index));
    made.push_back({argument.index, op.value, argument.value, argument.value_two});
  }
  return made;
}

Result<void> add_rule(const Context& context, const SeccompRule& rule,
                      std::uint32_t default_action) {
  const std::uint32_t action = TRY(action_value(rule.action, rule.errno_value));
  // libseccomp refuses a rule that says what happens anyway.
  if (action == default_action) return {};
  const std::vector<scmp_arg_cmp> when = TRY(comparisons(rule));
  const bool twice = std::ranges::any_of(when, [&](const scmp_arg_cmp& a) {
    return std::ranges::count(when, a.arg, &scmp_arg_cmp::arg) > 1;
  });
  for (const std::string& name : rule.names) {
    const int number = ::seccomp_syscall_resolve_name(name.c_str());
    if (number == __NR_SCMP_ERROR) continue;
    const auto add = [&](std::span<const scmp_arg_cmp> part) {
      const int answer = ::seccomp_rule_add_array(context.get(), action, number,
                                                  static_cast<unsigned>(part.size()), part.data());
      return during("the rule for " + name, seccomp_call(answer, "seccomp_rule_add"));
    };
    if (twice)
      for (const scmp_arg_cmp& one : when) TRY(add(std::span(&one, 1)));
    else
      TRY(add(when));
  }
  return {};
}

// libseccomp writes to a descriptor only.
Result<std::vector<std::uint8_t>> exported(const Context& context) {
  const Fd file = TRY(sys::memory_file("filter"));
  TRY(seccomp_call(::seccomp_export_bpf(context.get(), file.number()), "seccomp_export_bpf"));
  const Fd again = TRY(sys::reopen(file, O_RDONLY));
  const std::string program = TRY(sys::read_all(again));
  return std::vector<std::uint8_t>(program.begin(), program.end());
}

Result<std::uint32_t> flag_bits(const Seccomp& profile) {
  if (!profile.flags) return SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  std::uint32_t bits = 0;
  for (const std::string& name : *profile.flags) bits |= TRY(known(flags, name, "flag"))
  .value;
  return bits;
}

Result<Filter> compiled(const Seccomp& profile) {
  const std::uint32_t action = TRY(action_value(profile.default_action, profile.default_errno));
  const Context context(::seccomp_init(action), ::seccomp_release);
  if (!context) return fail("libseccomp refuses the default action " + profile.default_action);
  // no_new_privs is set by who starts the program, not by the filter.
  TRY(seccomp_call(::seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_NNP, 0), "seccomp_attr_set"));
  TRY(add_architectures(context, profile));
  for (const SeccompRule& rule : profile.rules) TRY(add_rule(context, rule, action));
  Filter filter {
    .program = TRY(exported(context))
    , .flags = TRY(flag_bits(profile))
  };
  const auto notifies = [](const SeccompRule& rule) { return rule.action == "SCMP_ACT_NOTIFY"; };
  filter.listener = std::ranges::any_of(profile.rules, notifies);
  if (filter.listener) filter.flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  return filter;
}

// Everything besides the profile that the program depends on.
std::string surroundings() {
  const scmp_version* version = ::seccomp_version();
  return std::string(format) + std::string(native_machine.name) + " " +
         std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->micro) + " ";
}

std::string file_name(const std::string& key) {
  const std::string all = surroundings() + key;
  const XXH128_hash_t hash = XXH3_128bits(all.data(), all.size());
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%016llx%016llx",
                static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return text.data();
}

Result<Fd> open_cache(const std::string& path) {
  Result<void> made = sys::make_directory(cwd, path, 0700);
  if (!made && made.error().code != EEXIST) return Failure(made.error());
  Fd dir = TRY(sys::open(cwd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  const struct stat found = TRY(sys::status(dir));
  if (found.st_uid != sys::own_uid() || (found.st_mode & 022) != 0)
    return fail("the cache " + path + " can be written by others",
                "remove it: umbel makes it anew");
  return dir;
}

struct Header {
  std::uint64_t checksum = 0, size = 0;
  std::uint32_t flags = 0, listener = 0;
};

std::optional<Filter> read_entry(FdRef dir, const std::string& name) {
  const Result<Fd> file = sys::open(dir, name, O_RDONLY | O_NOFOLLOW);
  if (!file) return std::nullopt;
  const Result<std::string> text = sys::read_all(*file, std::size_t{1} << 20);
  Header header;
  if (!text || text->size() <= sizeof header) return std::nullopt;
  std::memcpy(&header, text->data(), sizeof header);
  const std::string_view program = std::string_view(*text).substr(sizeof header);
  const bool good = header.size == program.size() &&
                    header.checksum == XXH3_64bits_withSeed(program.data(), program.size(),
                                                            header.flags * 2 + header.listener);
  if (!good) return std::nullopt;
  return Filter{.program = std::vector<std::uint8_t>(program.begin(), program.end()),
                .flags = header.flags,
                .listener = header.listener != 0};
}

Result<void> write_entry(FdRef dir, const std::string& name, const Filter& filter) {
  Header header{.size = filter.program.size(), .flags = filter.flags, .listener = filter.listener};
  header.checksum = XXH3_64bits_withSeed(filter.program.data(), filter.program.size(),
                                         header.flags * 2 + header.listener);
  std::string text(sizeof header, '\0');
  std::memcpy(text.data(), &header, sizeof header);
  text.append(filter.program.begin(), filter.program.end());
  return sys::replace_file(dir, name, text, 0600);
}

template <class Make>
Result<Filter> cached(const std::string& cache, const std::string& key, Make make) {
  const Result<Fd> dir = cache.empty() ? Result<Fd>(Fd()) : open_cache(cache);
  const bool usable = dir && *dir;
  const std::string name = usable ? file_name(key) : std::string();
  if (usable)
    if (std::optional<Filter> found = read_entry(*dir, name)) return std::move(*found);
  Filter made = TRY(compiled(make()));
  if (usable) (void)write_entry(*dir, name, made);
  return made;
}

}  // namespace

Result<Filter> compile(const Seccomp& profile, const std::string& cache) {
  return cached(cache, cache.empty() ? "" : json_text(to_value(profile)), [&] { return profile; });
}

Result<Filter> default_filter(CapSet capabilities, const std::string& cache) {
  return cached(cache, default_seccomp_key(capabilities),
                [&] { return default_seccomp(capabilities); });
}

Result<void> cache_problem(const std::string& cache) {
  TRY(open_cache(cache));
  return {};
}

Result<std::optional<Fd>> install(const Filter& filter) {
  return sys::set_seccomp_filter(filter.program, filter.flags);
}

}  // namespace umbel::security
