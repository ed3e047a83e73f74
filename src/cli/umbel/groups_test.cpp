#include "cli/umbel/groups.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace umbel::cli {

namespace {

Counted counted(const std::string& name, const std::string& cgroup, std::uint64_t processes,
                std::vector<std::uint64_t> namespaces = {}, std::uint64_t network = 0,
                std::uint64_t received = 0) {
  return {.record = {.name = name, .processes = processes, .received_bytes = received},
          .cgroup = cgroup,
          .network = network,
          .namespaces = std::move(namespaces)};
}

TEST(Groups, WhatLiesInAnotherIsPartOfIt) {
  const std::vector<Counted> all{counted("outer", "a", 5), counted("inner", "a/b", 3),
                                 counted("innermost", "a/b/c", 1), counted("like", "ab", 7)};
  EXPECT_EQ(total(all).processes, 12U);
  EXPECT_EQ(container_of(all[2], all), &all[1]);
  EXPECT_EQ(container_of(all[0], all), nullptr);
  EXPECT_EQ(container_of(all[3], all), nullptr);
  const std::vector<GroupRecord> groups = grouped(all);
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].containers, (std::vector<std::string>{"inner", "innermost", "outer"}));
  EXPECT_EQ(groups[0].total.processes, 5U);
}

TEST(Groups, ASharedNetworkIsCountedOnce) {
  const std::vector<Counted> all{counted("a", "a", 1, {10}, 10, 100),
                                 counted("b", "b", 2, {10, 11}, 10, 100),
                                 counted("c", "c", 4, {11}), counted("d", "d", 8, {12}, 12, 7)};
  EXPECT_EQ(total(all).received_bytes, 107U);
  const std::vector<GroupRecord> groups = grouped(all);
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].containers, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(groups[0].total.processes, 7U);
  EXPECT_EQ(groups[0].total.received_bytes, 100U);
}

TEST(Groups, OneWithoutACgroupLiesInNone) {
  const std::vector<Counted> all{counted("a", "", 0), counted("b", "b", 2)};
  EXPECT_EQ(total(all).processes, 2U);
  EXPECT_EQ(grouped(all).size(), 2U);
}

// Random trees of cgroups with random processes: whatever the nesting, each is counted once, in the
// whole and over the groups.
TEST(Groups, EveryProcessIsCountedOnce) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> paths;
    std::map<std::string, std::uint64_t> own;
    std::uint64_t processes = 0;
    for (int i = 0; i < 8; ++i) {
      const std::string name(1, static_cast<char>('a' + i));
      paths.push_back(
          paths.empty() || random() % 2 == 0 ? name : paths[random() % paths.size()] + "/" + name);
      processes += own[paths.back()] = random() % 5;
    }
    std::vector<Counted> all;
    for (const std::string& path : paths) {
      std::uint64_t below = 0;  // as the kernel counts: with all that is nested
      for (const auto& [other, count] : own)
        if (other == path || other.starts_with(path + "/")) below += count;
      all.push_back(counted(path, path, below, {random() % 6 + 1}));
    }
    EXPECT_EQ(total(all).processes, processes);
    std::uint64_t sum = 0;
    for (const GroupRecord& group : grouped(all)) sum += group.total.processes;
    EXPECT_EQ(sum, processes);
  }
}

}  // namespace

}  // namespace umbel::cli
