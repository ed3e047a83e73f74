// Everybody on this host, seen once: who they are and where they sit. Read without stopping anyone.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "inspect/process.h"
#include "ns/kind.h"

namespace umbel::survey {

// The inode of each namespace, by ns::index; 0 where the reader may not see it.
using Ids = std::array<std::uint64_t, ns::kind_count>;
Ids namespaces_of(const inspect::Process& process);
// Of the calling process: what "the host's" means.
Ids own_namespaces();

struct Resident {
  HostPid pid, parent;
  std::string name;              // as the kernel has it, at most 15 bytes
  std::uint64_t start_time = 0;  // ticks since boot
  std::int32_t session = 0, terminal = 0;
  bool zombie = false;
  Ids namespaces{};
  std::vector<std::string> cgroups;  // its path in each hierarchy that it is not at the top of
};

// By pid. Kernel threads and whoever ends meanwhile are left out.
struct Population {
  std::vector<Resident> residents;
  const Resident* find(HostPid pid) const;
};
Result<Population> population();

// The words of a process's command line; empty where it has none or may not be seen.
std::vector<std::string> command_line(HostPid pid);

}  // namespace umbel::survey
