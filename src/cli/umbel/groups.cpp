#include "cli/umbel/groups.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

namespace umbel::cli {

namespace {

// What adds up.
constexpr std::array sums = std::to_array<std::uint64_t StatsRecord::*>(
    {&StatsRecord::cpu_nanoseconds, &StatsRecord::memory, &StatsRecord::processes,
     &StatsRecord::read_bytes, &StatsRecord::written_bytes});
constexpr std::array traffic = std::to_array<std::uint64_t StatsRecord::*>(
    {&StatsRecord::received_bytes, &StatsRecord::sent_bytes});

bool lies_in(const Counted& inner, const Counted& outer) {
  return !outer.cgroup.empty() && inner.cgroup.size() > outer.cgroup.size() &&
         inner.cgroup.starts_with(outer.cgroup + "/");
}

bool overlap(const Counted& a, const Counted& b) {
  if (lies_in(a, b) || lies_in(b, a)) return true;
  return std::ranges::any_of(a.namespaces, [&](std::uint64_t id) {
    return std::ranges::find(b.namespaces, id) != b.namespaces.end();
  });
}

}  // namespace

const Counted* container_of(const Counted& inner, const std::vector<Counted>& all) {
  const Counted* found = nullptr;
  for (const Counted& outer : all)
    if (lies_in(inner, outer) && (found == nullptr || lies_in(outer, *found))) found = &outer;
  return found;
}

StatsRecord total(const std::vector<Counted>& members) {
  StatsRecord sum;
  std::set<std::uint64_t> networks;
  for (const Counted& one : members) {
    if (one.network != 0 && networks.insert(one.network).second)
      for (const auto field : traffic) sum.*field += one.record.*field;
    if (container_of(one, members) != nullptr) continue;
    for (const auto field : sums) sum.*field += one.record.*field;
    sum.cpu_percent += one.record.cpu_percent;
  }
  return sum;
}

std::vector<GroupRecord> grouped(const std::vector<Counted>& all) {
  // Each container's group is named by one of its members; two that meet take the same.
  std::vector<std::size_t> group(all.size());
  std::iota(group.begin(), group.end(), std::size_t{0});
  for (std::size_t a = 0; a < all.size(); ++a)
    for (std::size_t b = 0; b < a; ++b)
      if (group[a] != group[b] && overlap(all[a], all[b]))
        std::ranges::replace(group, std::size_t{group[a]}, std::size_t{group[b]});
  std::vector<GroupRecord> groups;
  for (std::size_t which = 0; which < all.size(); ++which) {
    std::vector<Counted> members;
    GroupRecord record;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (group[i] != which) continue;
      members.push_back(all[i]);
      record.containers.push_back(all[i].record.name);
    }
    if (members.empty()) continue;
    std::ranges::sort(record.containers);
    record.total = total(members);
    groups.push_back(std::move(record));
  }
  std::ranges::sort(groups, {}, [](const GroupRecord& g) { return g.containers.front(); });
  return groups;
}

}  // namespace umbel::cli
