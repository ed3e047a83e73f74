#include "policy/policy.h"

#include <gtest/gtest.h>

#include "policy/asked.h"
#include "policy/library.h"

namespace umbel::policy {

namespace {

Policy built(std::string_view names) {
  Result<Policy> made = Library({}).composed(names);
  EXPECT_TRUE(made) << (made ? "" : made.error().message());
  return made ? *made : Policy();
}

std::string failure(const Result<Policy>& made) {
  return made ? "it was accepted" : made.error().message() + " | " + made.error().cure;
}

TEST(Policy, EveryBuiltInOneIsWellFormedAndExplained) {
  for (const Entry& entry : built_in()) {
    const Policy policy = built(entry.name);
    EXPECT_EQ(policy.name, entry.name);
    EXPECT_FALSE(policy.summary.empty()) << entry.name;
    EXPECT_FALSE(policy.use.empty()) << entry.name;
    const Result<Policy> again = from_value<Policy>(to_value(policy));
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(to_value(*again), to_value(policy)) << entry.name;
  }
}

TEST(Policy, MistakesAreNamedWithTheirLine) {
  EXPECT_NE(failure(parse("x", "sumary = 'a'")).find("line 1: there is no rule 'sumary'"),
            std::string::npos);
  EXPECT_NE(failure(parse("x", "sumary = 'a'")).find("did you mean summary?"), std::string::npos);
  EXPECT_NE(failure(parse("x", "[namespaces]\npid = 'onw'")).find("line 2: 'onw'"),
            std::string::npos);
  EXPECT_NE(failure(parse("x", "[namespaces]\nnett = 'own'")).find("did you mean net?"),
            std::string::npos);
  EXPECT_NE(failure(parse("x", "[outside]\nlocks = 'sometimes'")).find("\"none\" or \"any\""),
            std::string::npos);
  EXPECT_NE(failure(parse("x", "[limits]\nmemroy = '1g'")).find("did you mean memory?"),
            std::string::npos);
  EXPECT_NE(failure(parse("x", "checkpoint = 'yes'")).find("true or false"), std::string::npos);
  EXPECT_NE(failure(parse("x", "hide = 'etc'")).find("no path below /"), std::string::npos);
  EXPECT_NE(failure(parse("x", "a = = b")).find("line 1"), std::string::npos);
  EXPECT_NE(failure(Library({}).composed("migratabel")).find("did you mean migratable?"),
            std::string::npos);
}

TEST(Policy, ComposedOnesDemandBoth) {
  const Policy both = built("migratable,sandbox");
  EXPECT_EQ(both.name, "migratable,sandbox");
  EXPECT_TRUE(both.checkpoint);
  EXPECT_TRUE(both.no_links);
  EXPECT_EQ(needs_text(both.of(ns::Kind::net)), "own");
  EXPECT_EQ(needs_text(both.of(ns::Kind::user)), "own");
  EXPECT_EQ(both.hidden.size(), 3U);
  EXPECT_EQ(needs_text(built("migratable,pod").of(ns::Kind::net)), "group");
  EXPECT_EQ(needs_text(built("pod,migratable").of(ns::Kind::net)), "group");
  EXPECT_EQ(needs_text(built("pidspace,migratable").of(ns::Kind::net)), "own or group");
  EXPECT_EQ(built("pidspace,migratable").limits.size(), 3U);
}

TEST(Policy, ContradictingOnesAreRefused) {
  const std::string text = failure(Library({}).composed("vserver,isolated"));
  EXPECT_NE(text.find("vserver and isolated contradict each other: net would have to be host and "
                      "own"),
            std::string::npos)
      << text;
}

TEST(Policy, ChoosesWhatIsNotChosen) {
  const Policy pod = built("pod");
  EXPECT_EQ(choice(pod, ns::Kind::net, ""), "new");
  EXPECT_EQ(choice(pod, ns::Kind::net, "web"), "with:web");
  EXPECT_EQ(choice(pod, ns::Kind::pid, "web"), "new");
  EXPECT_EQ(choice(pod, ns::Kind::time, "web"), std::nullopt);
  EXPECT_EQ(choice(built("vserver"), ns::Kind::net, ""), "host");
  EXPECT_EQ(choice(built("migratable"), ns::Kind::net, "web"), "new");
}

container::Config config_of(const Policy& policy) {
  container::Config config;
  for (const ns::KindInfo& kind : ns::kinds)
    if (choice(policy, kind.kind, "").value_or("host") == "new")
      config.namespaces[kind.kind].from = ns::From::fresh;
  config.process.default_filter = true;
  config.files.masked = policy.hidden;
  if (!policy.limits.empty()) {
    config.limits.memory = 1 << 20;
    config.limits.cpu_quota = 1000;
    config.limits.pids = 10;
  }
  return config;
}

TEST(Policy, WhatItChoosesItAccepts) {
  for (const Entry& entry : built_in()) {
    const Policy policy = built(entry.name);
    const std::vector<Refusal> found = contradictions(policy, config_of(policy));
    EXPECT_TRUE(found.empty()) << entry.name << ": " << (found.empty() ? "" : found[0].what);
  }
}

// Each change of a config that fits contradicts that policy, once.
TEST(Policy, ContradictionsAreFound) {
  using Change = void (*)(container::Config&);
  const std::vector<std::tuple<std::string, std::string, Change>> cases{
      {"migratable", "--net is host",
       [](container::Config& c) { c.namespaces[ns::Kind::net].from = ns::From::host; }},
      {"isolated", "--net is with:a",
       [](container::Config& c) { c.namespaces[ns::Kind::net] = {ns::From::with, "a"}; }},
      {"vserver", "--net is new",
       [](container::Config& c) { c.namespaces[ns::Kind::net].from = ns::From::fresh; }},
      {"pidspace", "limit for memory", [](container::Config& c) { c.limits.memory.reset(); }},
      {"pidspace", "limit for pids-limit", [](container::Config& c) { c.limits.pids = -1; }},
      {"migratable", "/srv of the host",
       [](container::Config& c) {
         c.files.mounts.push_back({.destination = "/data", .type = "bind", .source = "/srv"});
       }},
      {"migratable", "kept in /keep",
       [](container::Config& c) { c.files.root.overlay_dir = "/keep"; }},
      {"sandbox", "/home of the host would be seen",
       [](container::Config& c) { std::erase(c.files.masked, "/home"); }},
      {"sandbox", "CAP_SYS_ADMIN",
       [](container::Config& c) { c.process.capabilities.effective = std::uint64_t{1} << 21; }},
      {"isolated", "no system-call filter",
       [](container::Config& c) { c.process.default_filter = false; }},
      {"isolated", "the device /dev/kvm",
       [](container::Config& c) {
         c.files.devices.push_back({.path = "/dev/kvm", .major = 10, .minor = 232});
       }},
  };
  for (const auto& [name, expected, change] : cases) {
    const Policy policy = built(name);
    container::Config config = config_of(policy);
    change(config);
    const std::vector<Refusal> found = contradictions(policy, config);
    ASSERT_EQ(found.size(), 1U) << name << " " << expected;
    EXPECT_NE(found[0].what.find(expected), std::string::npos) << found[0].what;
    EXPECT_FALSE(found[0].cure.empty());
  }
}

TEST(Policy, JoiningIsForTheGroup) {
  const Policy migratable = built("migratable");
  const Policy pod = built("pod");
  EXPECT_TRUE(against_joining(built("isolated"), "a", ns::Kind::net, &pod));
  EXPECT_TRUE(against_joining(migratable, "a", ns::Kind::net, nullptr));
  EXPECT_FALSE(against_joining(migratable, "a", ns::Kind::net, &migratable));
  EXPECT_FALSE(against_joining(pod, "a", ns::Kind::net, &pod));
  EXPECT_TRUE(against_joining(pod, "a", ns::Kind::pid, &pod));
  EXPECT_FALSE(against_joining(pod, "a", ns::Kind::time, nullptr));
  EXPECT_FALSE(against_joining(built("vserver"), "a", ns::Kind::net, nullptr));
}

TEST(Policy, FurtherProgramsAreJudged) {
  EXPECT_TRUE(against_exec(built("migratable"), "a", {}));
  EXPECT_TRUE(against_exec(built("isolated"), "a", {.privileged = true}));
  EXPECT_FALSE(against_exec(built("isolated"), "a", {}));
  EXPECT_FALSE(against_exec(built("vserver"), "a", {.privileged = true}));
}

}  // namespace

}  // namespace umbel::policy
