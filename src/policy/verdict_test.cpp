#include "policy/verdict.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace umbel::policy {

namespace {

using survey::Fact;
using survey::Matter;

// Hosts are plain data: here they are thrown together.
struct Made {
  survey::Host host;
  survey::Facts facts;
  Policy policy;
  std::set<std::string> external;
  Question question() const { return {policy, host, facts, external}; }
};

void add_process(survey::Host& host, std::int32_t pid, const survey::Ids& namespaces,
                 std::optional<std::size_t> container) {
  host.everybody.residents.push_back(
      {.pid = HostPid(pid), .name = "p" + std::to_string(pid), .namespaces = namespaces});
  if (!container) return;
  host.home[HostPid(pid)] = *container;
  host.containers[*container].processes.push_back(HostPid(pid));
}

Made empty_host(std::size_t containers) {
  Made made;
  made.host.own.fill(1);
  for (std::size_t i = 0; i < containers; ++i) {
    survey::Ids ids;
    ids.fill(100 + i);
    made.host.containers.push_back({.name = std::string(1, static_cast<char>('a' + i)),
                                    .engine = "umbel",
                                    .init = HostPid(static_cast<std::int32_t>(10 + i)),
                                    .namespaces = ids});
    made.facts.of.push_back(i);
  }
  return made;
}

void populate(Made& made) {
  for (std::size_t i = 0; i < made.host.containers.size(); ++i)
    add_process(made.host, made.host.containers[i].init.value(), made.host.containers[i].namespaces,
                i);
}

void accept(Made& made, ns::Kind kind, std::vector<Accepted> list) {
  made.policy.namespaces.at(ns::index(kind)) = std::move(list);
}

TEST(Verdict, WhatIsItsOwnSatisfies) {
  Made made = empty_host(2);
  populate(made);
  accept(made, ns::Kind::net, {{Need::own, {}}});
  EXPECT_TRUE(judge(made.question(), {0}).satisfied());
  EXPECT_TRUE(judge(made.question(), {0, 1}).satisfied());
}

TEST(Verdict, TheHostsIsNotItsOwn) {
  Made made = empty_host(1);
  made.host.containers[0].namespaces.at(ns::index(ns::Kind::net)) = 1;
  populate(made);
  accept(made, ns::Kind::net, {{Need::own, {}}});
  const Verdict verdict = judge(made.question(), {0});
  ASSERT_EQ(verdict.offenders.size(), 1U);
  EXPECT_EQ(verdict.offenders[0].kind, "net");
  EXPECT_EQ(verdict.offenders[0].cure, "run a with --net new");
  accept(made, ns::Kind::net, {{Need::host, {}}});
  EXPECT_TRUE(judge(made.question(), {0}).satisfied());
}

TEST(Verdict, SharingAsksForTheOtherOrForItsOwn) {
  Made made = empty_host(2);
  made.host.containers[1].namespaces.at(ns::index(ns::Kind::ipc)) = 100;
  populate(made);
  made.policy.name = "p";
  accept(made, ns::Kind::ipc, {{Need::own, {}}, {Need::group, {}}});
  const Verdict alone = judge(made.question(), {0});
  ASSERT_EQ(alone.offenders.size(), 1U);
  EXPECT_EQ(alone.offenders[0].with, std::vector<std::size_t>{1});
  EXPECT_EQ(alone.offenders[0].cure, "move b with a: umbel check a b --policy p");
  EXPECT_TRUE(judge(made.question(), {0, 1}).satisfied());
  accept(made, ns::Kind::ipc, {{Need::own, {}}});
  const Verdict strict = judge(made.question(), {0, 1});
  ASSERT_EQ(strict.offenders.size(), 2U);
  EXPECT_TRUE(strict.offenders[0].with.empty());
  EXPECT_EQ(strict.offenders[0].cure, "give a a ipc of its own: --ipc new");
}

TEST(Verdict, AStrangerInItIsNamed) {
  Made made = empty_host(1);
  populate(made);
  survey::Ids ids;
  ids.fill(1);
  ids.at(ns::index(ns::Kind::net)) = 100;
  add_process(made.host, 99, ids, std::nullopt);
  accept(made, ns::Kind::net, {{Need::own, {}}, {Need::group, {}}});
  const Verdict verdict = judge(made.question(), {0});
  ASSERT_EQ(verdict.offenders.size(), 1U);
  EXPECT_NE(verdict.offenders[0].why.find("process 99 (p99), of no container"), std::string::npos);
  EXPECT_FALSE(closure(made.question(), {0}).group);
}

TEST(Verdict, APodIsOneForAll) {
  Made made = empty_host(2);
  populate(made);
  accept(made, ns::Kind::net, {{Need::group, {}}});
  EXPECT_TRUE(judge(made.question(), {0}).satisfied());
  EXPECT_FALSE(judge(made.question(), {0, 1}).satisfied());
}

TEST(Verdict, ThingsCountOnlyWhereThePolicyClosesThem) {
  for (const ReachInfo& reach : reaches) {
    static const std::map<Reach, Matter> matters{
        {Reach::descriptors, Matter::pipe}, {Reach::memory, Matter::memory},
        {Reach::locks, Matter::lock},       {Reach::terminals, Matter::terminal},
        {Reach::tracers, Matter::tracer},   {Reach::mounts, Matter::mount},
        {Reach::devices, Matter::device},   {Reach::processes, Matter::entrance}};
    Made made = empty_host(1);
    populate(made);
    made.facts.facts.push_back({.pid = HostPid(10),
                                .fd = 3,
                                .matter = matters.at(reach.reach),
                                .object = "thing",
                                .outside = true});
    EXPECT_TRUE(judge(made.question(), {0}).satisfied()) << reach.name;
    made.policy.closed.at(static_cast<std::size_t>(reach.reach)) = true;
    const Verdict verdict = judge(made.question(), {0});
    ASSERT_EQ(verdict.offenders.size(), 1U) << reach.name;
    EXPECT_FALSE(verdict.offenders[0].cure.empty());
    made.external.insert("thing");
    EXPECT_TRUE(judge(made.question(), {0}).satisfied()) << reach.name;
    EXPECT_EQ(judge(made.question(), {0}).external.size(), 1U);
  }
}

// ---- the closure against brute force ----

using Random = std::mt19937;
bool chance(Random& random, unsigned percent) { return random() % 100 < percent; }

Made random_host(Random& random) {
  constexpr std::size_t count = 5;
  Made made = empty_host(count);
  made.policy.name = "random";
  for (const ns::Kind kind : {ns::Kind::net, ns::Kind::ipc, ns::Kind::pid}) {
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t& id = made.host.containers[i].namespaces.at(ns::index(kind));
      if (chance(random, 30)) id = 100 + random() % count;
      if (chance(random, 2)) id = 1;
    }
    const std::array<std::vector<Accepted>, 5> lists{
        {{},
         {{Need::own, {}}},
         {{Need::own, {}}, {Need::group, {}}},
         {{Need::group, {}}},
         {{Need::own, {}}, {Need::group, {}}, {Need::host, {}}}}};
    // Mostly what a group can mend: otherwise there would hardly be one.
    accept(made, kind, lists.at(chance(random, 70) ? 2 : random() % lists.size()));
  }
  populate(made);
  if (chance(random, 5))
    add_process(made.host, 99, made.host.containers[random() % count].namespaces, std::nullopt);
  made.policy.closed.fill(true);
  for (std::size_t i = random() % 4; i > 0; --i) {
    const std::size_t from = random() % count;
    const std::size_t to = random() % count;
    Fact fact{.container = from,
              .pid = HostPid(static_cast<std::int32_t>(10 + from)),
              .matter = chance(random, 50) ? Matter::pipe : Matter::memory,
              .object = "thing " + std::to_string(i)};
    if (to != from)
      fact.others = {{.pid = HostPid(static_cast<std::int32_t>(10 + to)), .container = to}};
    if (chance(random, 5)) fact.others = {{.pid = HostPid(500)}};
    if (!fact.others.empty()) made.facts.facts.push_back(fact);
  }
  return made;
}

// Of all groups with `group` in them the smallest that satisfies; nothing where none does.
std::optional<std::vector<Group>> by_force(const Question& question, const Group& group) {
  std::vector<Group> best;
  for (unsigned mask = 0; mask < 32; ++mask) {
    Group tried;
    for (std::size_t i = 0; i < 5; ++i)
      if ((mask >> i & 1) != 0) tried.insert(i);
    const bool has_all = std::ranges::includes(tried, group);
    if (!has_all || !judge(question, tried).satisfied()) continue;
    if (!best.empty() && best.front().size() < tried.size()) continue;
    if (!best.empty() && best.front().size() > tried.size()) best.clear();
    best.push_back(tried);
  }
  if (best.empty()) return std::nullopt;
  return best;
}

TEST(Closure, IsTheSmallestGroupThatSatisfies) {
  int found = 0;
  int larger = 0;
  int none = 0;
  for (unsigned seed = 0; seed < 4000; ++seed) {
    Random random(seed);
    const Made made = random_host(random);
    Group group{random() % 5};
    if (chance(random, 30)) group.insert(random() % 5);
    const Question question = made.question();
    const Closure closed = closure(question, group);
    const auto expected = by_force(question, group);
    ASSERT_EQ(closed.group.has_value(), expected.has_value()) << "seed " << seed;
    if (!closed.group) {
      ++none;
      EXPECT_FALSE(closed.obstacles.empty()) << "seed " << seed;
      continue;
    }
    ASSERT_EQ(expected->size(), 1U) << "seed " << seed;
    EXPECT_EQ(*closed.group, expected->front()) << "seed " << seed;
    ++found;
    if (closed.group->size() > group.size()) ++larger;
  }
  // The generator meets every case.
  EXPECT_GT(found, 500);
  EXPECT_GT(larger, 200);
  EXPECT_GT(none, 500);
}

TEST(Closure, AsksForFactsThatItDoesNotHave) {
  Made made = empty_host(2);
  made.host.containers[1].namespaces.at(ns::index(ns::Kind::ipc)) = 100;
  populate(made);
  accept(made, ns::Kind::ipc, {{Need::own, {}}, {Need::group, {}}});
  made.facts.of = {0};
  const Closure closed = closure(made.question(), {0});
  EXPECT_FALSE(closed.group);
  EXPECT_EQ(closed.unknown, Group{1});
}

}  // namespace

}  // namespace umbel::policy
