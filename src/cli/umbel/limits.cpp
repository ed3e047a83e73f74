#include "cli/umbel/limits.h"

#include <array>
#include <cmath>

#include "base/text.h"

namespace umbel::cli {

namespace {

constexpr std::uint64_t period = 100'000;  // microseconds, the kernel's default

bool is_unlimited(std::string_view text) {
  return text == "-1" || text == "max" || text == "unlimited";
}

Result<void> set_memory(cgroup::Limits& limits, const std::string& text) {
  if (is_unlimited(text)) {
    limits.memory = -1;
    return {};
  }
  const std::uint64_t bytes = TRY(parse_size(text));
  // Less than this cannot even execute a program: the kernel kills it at once.
  if (bytes < 512 << 10)
    return fail("'" + text + "' is too little to run anything", "give at least 512k");
  limits.memory = static_cast<std::int64_t>(bytes);
  return {};
}

Result<void> set_cpus(cgroup::Limits& limits, const std::string& text) {
  limits.cpu_period = period;
  if (is_unlimited(text)) {
    limits.cpu_quota = -1;
    return {};
  }
  const std::optional<double> count = decimal(text);
  // The kernel's least quota is one millisecond.
  if (!count || *count < 0.01 || *count > 65536)
    return fail("'" + text + "' is no number of processors", "write it like 0.5 or 2");
  limits.cpu_quota = std::llround(*count * static_cast<double>(period));
  return {};
}

Result<void> set_cpuset(cgroup::Limits& limits, const std::string& text) {
  if (text.empty() || text.find_first_not_of("0123456789,-") != std::string::npos)
    return fail("'" + text + "' is no list of processors", "write it like 0-3,7");
  limits.cpus = text;
  return {};
}

Result<void> set_pids(cgroup::Limits& limits, const std::string& text) {
  const std::optional<std::int64_t> count = is_unlimited(text) ? -1 : number(text);
  if (!count || *count == 0 || *count < -1)
    return fail("'" + text + "' is no number of processes",
                "write it like 100, or -1 for no limit");
  limits.pids = *count;
  return {};
}

Result<void> set_io_weight(cgroup::Limits& limits, const std::string& text) {
  const std::optional<std::uint64_t> weight = unsigned_number(text);
  if (!weight || *weight < 10 || *weight > 1000)
    return fail("'" + text + "' is no weight", "give 10 to 1000; others have 100");
  limits.io_weight = static_cast<std::uint16_t>(*weight);
  return {};
}

struct Limit {
  std::string_view option;
  std::optional<std::string> LimitOptions::* text;
  Result<void> (*set)(cgroup::Limits&, const std::string&);
};
constexpr std::array table = std::to_array<Limit>({
    {"--memory", &LimitOptions::memory, set_memory},
    {"--cpus", &LimitOptions::cpus, set_cpus},
    {"--cpuset-cpus", &LimitOptions::cpuset_cpus, set_cpuset},
    {"--pids-limit", &LimitOptions::pids, set_pids},
    {"--io-weight", &LimitOptions::io_weight, set_io_weight},
});

}  // namespace

Section limit_section(LimitOptions& o) {
  return {"Limits",
          {{"memory", 'm', "SIZE", "memory it may use: 512m, 1.5g; -1: no limit", &o.memory},
           {"cpus", 0, "NUMBER", "processors it may use at once: 0.5, 2", &o.cpus},
           {"cpuset-cpus", 0, "LIST", "the processors that it runs on: 0-3,7", &o.cpuset_cpus},
           {"pids-limit", 0, "NUMBER", "processes and threads it may have; -1: no limit", &o.pids},
           {"io-weight", 0, "NUMBER", "its share of a busy disk, 10 to 1000", &o.io_weight,
            "blkio-weight"}}};
}

std::string_view any_limit(const LimitOptions& options) {
  for (const Limit& limit : table)
    if (options.*limit.text) return limit.option;
  return {};
}

Result<cgroup::Limits> parse_limits(const LimitOptions& options) {
  cgroup::Limits limits;
  for (const Limit& limit : table)
    if (const auto& text = options.*limit.text) TRY(during(limit.option, limit.set(limits, *text)));
  return limits;
}

std::string limits_text(const cgroup::Limits& limits) {
  std::vector<std::string> parts;
  if (limits.memory && *limits.memory >= 0)
    parts.push_back("memory " + size_text(static_cast<std::uint64_t>(*limits.memory)));
  if (limits.cpu_quota && *limits.cpu_quota >= 0) {
    const std::int64_t hundredths =
        *limits.cpu_quota * 100 / static_cast<std::int64_t>(limits.cpu_period.value_or(period));
    std::string fraction = std::to_string(100 + hundredths % 100).substr(1);
    parts.push_back(std::to_string(hundredths / 100) + "." + fraction + " processors");
  }
  if (!limits.cpus.empty()) parts.push_back("on processors " + limits.cpus);
  if (limits.pids && *limits.pids >= 0)
    parts.push_back(std::to_string(*limits.pids) + " processes");
  if (limits.io_weight) parts.push_back("disk weight " + std::to_string(*limits.io_weight));
  return parts.empty() ? "none" : join(parts, ", ");
}

}  // namespace umbel::cli
