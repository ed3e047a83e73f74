// One table of what is counted where. v1 counts processor time in nanoseconds, cgroup2 in
// microseconds; a v1 memory limit that was never set reads as the largest multiple of a page.
#include <algorithm>
#include <array>
#include <limits>

#include "base/text.h"
#include "cgroup/cgroup.h"

namespace umbel::cgroup {

namespace {

constexpr std::uint64_t no_limit = std::uint64_t{1} << 62;
constexpr const char* whole = "";

// A number in a file: its whole content, or what follows `key` in one of its lines; summed where
// lines repeat, as for one device each (then the key is anywhere in the line: "rbytes=").
struct Counter {
  const char* controller;  // v1's; nullptr: in cgroup2
  const char* file;
  const char* key;
  std::uint64_t Usage::* into;
  std::uint64_t unit = 1;
};

constexpr std::array counters = std::to_array<Counter>({
    {"memory", "memory.usage_in_bytes", whole, &Usage::memory},
    {"memory", "memory.max_usage_in_bytes", whole, &Usage::memory_peak},
    {"memory", "memory.limit_in_bytes", whole, &Usage::memory_limit},
    {"memory", "memory.failcnt", whole, &Usage::memory_failures},
    {"memory", "memory.stat", "total_cache ", &Usage::memory_cache},
    {"memory", "memory.stat", "total_inactive_file ", &Usage::memory_inactive_file},
    {"memory", "memory.stat", "total_swap ", &Usage::swap},
    {"memory", "memory.oom_control", "oom_kill ", &Usage::oom_kills},
    {"cpuacct", "cpuacct.usage", whole, &Usage::cpu_nanoseconds},
    {"cpuacct", "cpuacct.usage_user", whole, &Usage::cpu_user},
    {"cpuacct", "cpuacct.usage_sys", whole, &Usage::cpu_system},
    {"cpu", "cpu.stat", "nr_periods ", &Usage::periods},
    {"cpu", "cpu.stat", "nr_throttled ", &Usage::throttled_periods},
    {"cpu", "cpu.stat", "throttled_time ", &Usage::throttled_nanoseconds},
    {"pids", "pids.current", whole, &Usage::pids},
    {"pids", "pids.max", whole, &Usage::pids_limit},
    {"blkio", "blkio.throttle.io_service_bytes_recursive", " Read ", &Usage::read_bytes},
    {"blkio", "blkio.throttle.io_service_bytes_recursive", " Write ", &Usage::written_bytes},
    {"blkio", "blkio.throttle.io_serviced_recursive", " Read ", &Usage::read_operations},
    {"blkio", "blkio.throttle.io_serviced_recursive", " Write ", &Usage::write_operations},
    {nullptr, "memory.current", whole, &Usage::memory},
    {nullptr, "memory.peak", whole, &Usage::memory_peak},
    {nullptr, "memory.max", whole, &Usage::memory_limit},
    {nullptr, "memory.stat", "file ", &Usage::memory_cache},
    {nullptr, "memory.stat", "inactive_file ", &Usage::memory_inactive_file},
    {nullptr, "memory.swap.current", whole, &Usage::swap},
    {nullptr, "memory.swap.max", whole, &Usage::swap_limit},
    {nullptr, "memory.events", "max ", &Usage::memory_failures},
    {nullptr, "memory.events", "oom_kill ", &Usage::oom_kills},
    {nullptr, "cpu.stat", "usage_usec ", &Usage::cpu_nanoseconds, 1000},
    {nullptr, "cpu.stat", "user_usec ", &Usage::cpu_user, 1000},
    {nullptr, "cpu.stat", "system_usec ", &Usage::cpu_system, 1000},
    {nullptr, "cpu.stat", "nr_periods ", &Usage::periods},
    {nullptr, "cpu.stat", "nr_throttled ", &Usage::throttled_periods},
    {nullptr, "cpu.stat", "throttled_usec ", &Usage::throttled_nanoseconds, 1000},
    {nullptr, "pids.current", whole, &Usage::pids},
    {nullptr, "pids.max", whole, &Usage::pids_limit},
    {nullptr, "io.stat", "rbytes=", &Usage::read_bytes},
    {nullptr, "io.stat", "wbytes=", &Usage::written_bytes},
    {nullptr, "io.stat", "rios=", &Usage::read_operations},
    {nullptr, "io.stat", "wios=", &Usage::write_operations},
});

// "oom_kill 1" holds "oom_kill " at its begin; "oom_kill_disable 0" does not, nor is
// "active_file " found within "inactive_file ".
bool inside(std::string_view key) { return key.starts_with(' ') || key.ends_with('='); }

std::uint64_t value_of(std::string_view text, std::string_view key) {
  if (key.empty()) return unsigned_number(trimmed(text)).value_or(0);  // "max" is 0 here
  std::uint64_t sum = 0;
  for (const std::string_view line : split(text, '\n')) {
    const std::size_t at = inside(key) ? line.find(key) : line.starts_with(key) ? 0 : line.npos;
    if (at == line.npos) continue;
    const std::string_view rest = line.substr(at + key.size());
    sum += unsigned_number(rest.substr(0, rest.find(' '))).value_or(0);
  }
  return sum;
}

void without_no_limit(std::uint64_t& limit) {
  if (limit >= no_limit) limit = 0;
}

}  // namespace

Result<Usage> Cgroup::usage() const {
  Usage usage;
  std::string text;
  const char* read = whole;
  const Directory* from = nullptr;
  for (const Counter& counter : counters) {
    const Directory* here =
        counter.controller != nullptr ? controlled(counter.controller) : unified();
    if (here == nullptr) continue;
    // What v1 controls, cgroup2 has no files of; cpu.stat it always has.
    if (counter.controller == nullptr && usage.*counter.into != 0) continue;
    if (here != from || std::string_view(read) != counter.file) {
      Result<std::string> content = here->read(counter.file);
      if (!content && content.error().code != ENOENT && content.error().code != EOPNOTSUPP)
        return during("reading the usage of a cgroup", Result<Usage>(Failure(content.error())));
      text = content ? std::move(*content) : std::string();
      read = counter.file;
      from = here;
    }
    usage.*counter.into = value_of(text, counter.key) * counter.unit;
  }
  for (std::uint64_t* limit : {&usage.memory_limit, &usage.swap_limit, &usage.pids_limit})
    without_no_limit(*limit);
  return usage;
}

}  // namespace umbel::cgroup
