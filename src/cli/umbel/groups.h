// What several containers use together, each process and each packet counted once. Pure.
//
// A process is in one cgroup, but counts in all above it: a container whose cgroup lies below
// another's is part of what that one uses. Packets are counted where the links are, so once a
// network namespace, however many containers share it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/umbel/records.h"

namespace umbel::cli {

struct Counted {
  StatsRecord record;
  std::string cgroup;                     // below the roots; empty: none of its own
  std::uint64_t network = 0;              // inode of its net namespace; 0: not its own
  std::vector<std::uint64_t> namespaces;  // those that are not the host's
};

// The container of `all` in whose cgroup this one's lies, the innermost; nullptr: in none.
const Counted* container_of(const Counted& inner, const std::vector<Counted>& all);
StatsRecord total(const std::vector<Counted>& members);
// Those that share a namespace, or lie in one another, directly or by way of others: by the names
// of their first members, which are sorted.
std::vector<GroupRecord> grouped(const std::vector<Counted>& all);

}  // namespace umbel::cli
