// How a process is scheduled, as the OCI specification words it: process.scheduler, ioPriority,
// execCPUAffinity, linux.personality and linux.memoryPolicy. Each is applied to the calling thread
// and inherited by what it executes. Source: sched(7), sched_setattr(2), ioprio_set(2),
// personality(2), set_mempolicy(2).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace umbel::security {

struct Scheduler {
  std::string policy = "SCHED_OTHER";                   // BATCH, IDLE, FIFO, RR, DEADLINE
  std::int32_t nice = 0;                                // of OTHER and BATCH
  std::int32_t priority = 0;                            // of FIFO and RR, 1 to 99
  std::vector<std::string> flags;                       // SCHED_FLAG_RESET_ON_FORK ...
  std::uint64_t runtime = 0, deadline = 0, period = 0;  // of DEADLINE, nanoseconds
  friend bool operator==(const Scheduler&, const Scheduler&) = default;
};
void fields(auto& archive, Scheduler& s) {
  archive("policy", s.policy);
  archive("nice", s.nice);
  archive("priority", s.priority);
  archive("flags", s.flags);
  archive("runtime", s.runtime);
  archive("deadline", s.deadline);
  archive("period", s.period);
}

struct IoPriority {
  std::string io_class = "IOPRIO_CLASS_BE";  // RT, IDLE
  std::int32_t priority = 4;                 // 0, the highest, to 7
  friend bool operator==(const IoPriority&, const IoPriority&) = default;
};
void fields(auto& archive, IoPriority& p) {
  archive("class", p.io_class);
  archive("priority", p.priority);
}

// Of a process that enters a container. Lists of CPUs such as "0-3,7"; an empty one changes
// nothing.
struct CpuAffinity {
  std::string initial, final;  // before and after the process is moved to the container's cgroup
  friend bool operator==(const CpuAffinity&, const CpuAffinity&) = default;
};
void fields(auto& archive, CpuAffinity& a) {
  archive("initial", a.initial);
  archive("final", a.final);
}

struct Personality {
  std::string domain = "LINUX";    // or LINUX32: uname says i686
  std::vector<std::string> flags;  // none is specified yet
  friend bool operator==(const Personality&, const Personality&) = default;
};
void fields(auto& archive, Personality& p) {
  archive("domain", p.domain);
  archive("flags", p.flags);
}

struct MemoryPolicy {
  std::string mode, nodes;  // "MPOL_BIND", "0-1"
  std::vector<std::string> flags;
  friend bool operator==(const MemoryPolicy&, const MemoryPolicy&) = default;
};
void fields(auto& archive, MemoryPolicy& p) {
  archive("mode", p.mode);
  archive("nodes", p.nodes);
  archive("flags", p.flags);
}
// All modes and flags that apply() knows.
struct MemoryPolicyWords {
  std::vector<std::string> modes, flags;
};
MemoryPolicyWords memory_policy_words();

// What needs no kernel to be known wrong.
Result<void> check(const Scheduler& scheduler);
Result<void> check(const IoPriority& priority);
Result<void> check(const Personality& personality);
Result<void> check(const MemoryPolicy& policy);

Result<void> apply(const Scheduler& scheduler);
Result<void> apply(const IoPriority& priority);
Result<void> apply(const Personality& personality);
Result<void> apply(const MemoryPolicy& policy);
// The kernel keeps to those of the list that the cpuset allows.
Result<void> set_affinity(std::string_view cpus);

// Of CPUs or memory nodes. Ascending, without doubles: "2,0-1,1" gives 0, 1, 2.
Result<std::vector<unsigned>> parse_list(std::string_view list, std::string_view of_what = "CPUs");

}  // namespace umbel::security
