// A table for each word. Facts relied on: a policy's numbers that are
// not its own must be 0 for the kernel; a thread under SCHED_DEADLINE may not fork unless it has
// SCHED_FLAG_RESET_ON_FORK (EAGAIN), and must be allowed on all CPUs of its root domain (EPERM).
#include "security/sched.h"

#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <sys/personality.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "base/text.h"
#include "sys/memory_policy.h"
#include "sys/scheduling.h"

#ifndef MPOL_F_NUMA_BALANCING  // Linux 5.12
#define MPOL_F_NUMA_BALANCING (1 << 13)
#endif

namespace umbel::security {

namespace {

struct Word {
  std::string_view name;
  std::uint64_t value;
};

constexpr std::array policies = std::to_array<Word>({
    {"SCHED_OTHER", SCHED_NORMAL},
    {"SCHED_BATCH", SCHED_BATCH},
    {"SCHED_IDLE", SCHED_IDLE},
    {"SCHED_FIFO", SCHED_FIFO},
    {"SCHED_RR", SCHED_RR},
    {"SCHED_DEADLINE", SCHED_DEADLINE},
});
constexpr std::array scheduler_flags = std::to_array<Word>({
    {"SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK},
    {"SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM},
    {"SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN},
    {"SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY},
    {"SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS},
    {"SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN},
    {"SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX},
});
constexpr std::array io_classes = std::to_array<Word>({
    {"IOPRIO_CLASS_RT", sys::io_class_realtime},
    {"IOPRIO_CLASS_BE", sys::io_class_best_effort},
    {"IOPRIO_CLASS_IDLE", sys::io_class_idle},
});
constexpr std::array domains = std::to_array<Word>({
    {"LINUX", PER_LINUX},
    {"LINUX32", PER_LINUX32},
});

constexpr int weighted_interleave = 6;  // MPOL_WEIGHTED_INTERLEAVE, Linux 6.9
constexpr std::array memory_modes = std::to_array<Word>({
    {"MPOL_DEFAULT", MPOL_DEFAULT},
    {"MPOL_BIND", MPOL_BIND},
    {"MPOL_INTERLEAVE", MPOL_INTERLEAVE},
    {"MPOL_WEIGHTED_INTERLEAVE", weighted_interleave},
    {"MPOL_PREFERRED", MPOL_PREFERRED},
    {"MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY},
    {"MPOL_LOCAL", MPOL_LOCAL},
});
constexpr std::array memory_flags = std::to_array<Word>({
    {"MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING},
    {"MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES},
    {"MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES},
});

Result<std::uint64_t> value_of(const auto& table, std::string_view name, std::string_view what) {
  const auto* found = std::ranges::find(table, name, &Word::name);
  if (found != table.end()) return found->value;
  std::vector<std::string_view> names;
  for (const Word& word : table) names.push_back(word.name);
  const std::optional<std::string_view> meant = nearest(name, names);
  return fail("'" + std::string(name) + "' is no " + std::string(what),
              meant ? "did you mean " + std::string(*meant) + "?"
                    : "the OCI runtime specification lists them");
}

Result<sys::SchedulingAttributes> attributes(const Scheduler& scheduler) {
  const std::uint64_t policy = TRY(value_of(policies, scheduler.policy, "scheduling policy"));
  const bool deadline = policy == SCHED_DEADLINE;
  const bool real_time = policy == SCHED_FIFO || policy == SCHED_RR;
  const std::string name = scheduler.policy;
  if (scheduler.nice < -20 || scheduler.nice > 19)
    return fail_with(EINVAL, "nice can't be " + std::to_string(scheduler.nice),
                     "choose from -20 to 19");
  if (real_time && (scheduler.priority < 1 || scheduler.priority > 99))
    return fail_with(EINVAL,
                     "the priority of " + name + " can't be " + std::to_string(scheduler.priority),
                     "choose from 1 to 99");
  if (!real_time && scheduler.priority != 0)
    return fail_with(EINVAL, name + " has no priority", "leave it out, or choose SCHED_FIFO");
  if (!deadline && (scheduler.runtime | scheduler.deadline | scheduler.period) != 0)
    return fail_with(EINVAL, name + " has no runtime, deadline or period",
                     "leave them out, or choose SCHED_DEADLINE");
  sys::SchedulingAttributes wanted{.policy = static_cast<std::uint32_t>(policy),
                                   .nice = scheduler.nice,
                                   .priority = static_cast<std::uint32_t>(scheduler.priority),
                                   .runtime = scheduler.runtime,
                                   .deadline = scheduler.deadline,
                                   .period = scheduler.period};
  for (const std::string& flag : scheduler.flags)
    wanted.flags |= TRY(value_of(scheduler_flags, flag, "scheduling flag"));
  return wanted;
}

Result<int> value_of(const IoPriority& priority) {
  const std::uint64_t io_class = TRY(value_of(io_classes, priority.io_class, "I/O priority class"));
  if (priority.priority < 0 || priority.priority > 7)
    return fail_with(EINVAL, "the I/O priority can't be " + std::to_string(priority.priority),
                     "choose from 0, the highest, to 7");
  return static_cast<int>(io_class << sys::io_class_shift) | priority.priority;
}

Result<sys::MemoryPolicy> value_of(const MemoryPolicy& policy) {
  sys::MemoryPolicy wanted;
  wanted.mode = static_cast<int>(TRY(value_of(memory_modes, policy.mode, "memory policy")));
  for (const std::string& flag : policy.flags)
    wanted.mode |= static_cast<int>(TRY(value_of(memory_flags, flag, "memory policy's flag")));
  wanted.nodes = TRY(parse_list(policy.nodes, "memory nodes"));
  return wanted;
}

Result<std::uint32_t> value_of(const Personality& personality) {
  const std::uint64_t domain = TRY(value_of(domains, personality.domain, "execution domain"));
  if (!personality.flags.empty())
    return fail("the personality flag '" + personality.flags.front() + "' is not known",
                "leave it out: the OCI specification has none so far");
  return static_cast<std::uint32_t>(domain);
}

// Other failures speak for themselves.
std::string_view cure_of(int code) {
  switch (code) {
    case EPERM:
      return "this needs CAP_SYS_NICE; for SCHED_DEADLINE also all CPUs; in a v1 cpu cgroup a "
             "real-time policy needs cpu.rt_runtime_us";
    case EBUSY:
      return "the CPUs have promised their time to others: ask for less runtime in a period";
    case EINVAL:
      return "SCHED_DEADLINE wants runtime <= deadline <= period, and 1024 ns at least";
    default:
      return {};
  }
}

std::optional<unsigned> member(std::string_view text) {
  const std::optional<std::uint64_t> value = unsigned_number(text);
  // The kernel can be built for 8192 CPUs.
  if (!value || *value >= 8192) return std::nullopt;
  return static_cast<unsigned>(*value);
}

}  // namespace

Result<void> apply(const Scheduler& scheduler) {
  const sys::SchedulingAttributes wanted = TRY(attributes(scheduler));
  Result<void> set = sys::set_scheduling(wanted);
  if (set) return set;
  const std::string_view cure = cure_of(set.error().code);
  return advise(cure, during("scheduling as " + scheduler.policy, std::move(set)));
}

Result<void> apply(const IoPriority& priority) {
  const int value = TRY(value_of(priority));
  return advise("IOPRIO_CLASS_RT needs CAP_SYS_NICE",
                during("I/O priority " + priority.io_class, sys::set_io_priority(value)));
}

Result<void> apply(const Personality& personality) {
  const std::uint32_t value = TRY(value_of(personality));
  return during("personality " + personality.domain, sys::set_personality(value));
}

Result<void> set_affinity(std::string_view cpus) {
  const std::vector<unsigned> wanted = TRY(parse_list(cpus));
  if (wanted.empty()) return {};
  return advise("none of them is both online and in the cpuset of this process's cgroup",
                during("running on the CPUs " + std::string(cpus), sys::set_affinity(wanted)));
}

MemoryPolicyWords memory_policy_words() {
  MemoryPolicyWords words;
  for (const Word& mode : memory_modes) words.modes.emplace_back(mode.name);
  for (const Word& flag : memory_flags) words.flags.emplace_back(flag.name);
  return words;
}

Result<void> apply(const MemoryPolicy& policy) {
  const sys::MemoryPolicy wanted = TRY(value_of(policy));
  return during("the memory policy " + policy.mode,
                advise("nodes must be online, in the cpuset of its cgroup, and are only for the "
                       "modes that choose among them; MPOL_F_NUMA_BALANCING is for MPOL_BIND",
                       sys::set_memory_policy(wanted)));
}

Result<void> check(const Scheduler& scheduler) {
  TRY(attributes(scheduler));
  return {};
}
Result<void> check(const IoPriority& priority) {
  TRY(value_of(priority));
  return {};
}
Result<void> check(const Personality& personality) {
  TRY(value_of(personality));
  return {};
}
Result<void> check(const MemoryPolicy& policy) {
  TRY(value_of(policy));
  return {};
}

Result<std::vector<unsigned>> parse_list(std::string_view list, std::string_view of_what) {
  std::vector<unsigned> cpus;
  for (const std::string_view part : split(trimmed(list), ',')) {
    const std::optional<Halves> range = cut(part, '-');
    const std::optional<unsigned> first = member(range ? range->before : part);
    const std::optional<unsigned> last = member(range ? range->after : part);
    if (!first || !last || *first > *last)
      return fail("'" + std::string(list) + "' is not a list of " + std::string(of_what),
                  "write it like 0-3,7");
    for (unsigned number = *first; number <= *last; ++number) cpus.push_back(number);
  }
  std::ranges::sort(cpus);
  cpus.erase(std::ranges::unique(cpus).begin(), cpus.end());
  return cpus;
}

}  // namespace umbel::security
