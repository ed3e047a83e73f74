// The options that limit what a container uses, shared by run, create and update.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cgroup/limits.h"
#include "cli/umbel/options.h"

namespace umbel::cli {

struct LimitOptions {
  std::optional<std::string> memory, cpus, cpuset_cpus, pids, io_weight;
};
Section limit_section(LimitOptions& options);
// The first one that was given, as it is written; none: "".
std::string_view any_limit(const LimitOptions& options);
Result<cgroup::Limits> parse_limits(const LimitOptions& options);

// "memory 64 MiB, 0.5 processors": what show and update tell; "none".
std::string limits_text(const cgroup::Limits& limits);

}  // namespace umbel::cli
