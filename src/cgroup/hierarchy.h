// The hierarchies of this host that this process can see.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace umbel::cgroup {

struct Hierarchy {
  std::string name;  // as in /proc/PID/cgroup: "memory", "cpu,cpuacct", "name=systemd"; "": cgroup2
  std::string top;   // the mounted directory, absolute
  std::string root;  // what of the hierarchy is mounted there: "/", or a cgroup's path; "": unread

  bool unified() const { return name.empty(); }
};

// In the order of their mounts; cgroup2 last.
Result<std::vector<Hierarchy>> hierarchies();
// The same, from the text of /proc/self/mountinfo.
Result<std::vector<Hierarchy>> hierarchies_in(std::string_view mountinfo);

// The directory that this process itself is in, and in which it may make others if the hierarchy's
// top is not its own; an error where that lies outside of what is mounted.
Result<std::string> own_directory(const Hierarchy& hierarchy);
Result<std::string> own_directory_in(const Hierarchy& hierarchy, std::string_view memberships);

// cgroup2 lets no process be where controllers are handed on to children. A process that makes
// cgroups within its own first moves itself, and its neighbours, into a child of this name.
inline constexpr std::string_view callers = "umbel-callers";

}  // namespace umbel::cgroup
