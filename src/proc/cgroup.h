// /proc/PID/cgroup (cgroups(7)): where a process is in each hierarchy, as its reader's cgroup
// namespace shows it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace umbel::proc {

struct Membership {
  std::int64_t hierarchy = 0;  // 0 is cgroup2
  std::string controllers;     // "memory", "cpu,cpuacct", "name=systemd"; empty for cgroup2
  std::string path;            // starts with /; with "/.." above the reader's namespace root
  bool deleted = false;        // the directory has been removed since
};

Result<std::vector<Membership>> parse_memberships(std::string_view text);

}  // namespace umbel::proc
