#include "cli/umbel/limits.h"

#include <gtest/gtest.h>

#include "base/record.h"

namespace umbel::cli {

namespace {

TEST(Limits, InTheKernelsUnits) {
  const LimitOptions options{
      .memory = "512m", .cpus = "0.5", .cpuset_cpus = "0-1,3", .pids = "100", .io_weight = "500"};
  const Result<cgroup::Limits> limits = parse_limits(options);
  ASSERT_TRUE(limits);
  EXPECT_EQ(limits->memory, 512 << 20);
  EXPECT_EQ(limits->cpu_quota, 50'000);
  EXPECT_EQ(limits->cpu_period, 100'000U);
  EXPECT_EQ(limits->cpus, "0-1,3");
  EXPECT_EQ(limits->pids, 100);
  EXPECT_EQ(limits->io_weight, 500);
  EXPECT_EQ(limits_text(*limits),
            "memory 512 MiB, 0.50 processors, on processors 0-1,3, 100 processes, disk weight 500");
}

TEST(Limits, NoneAreSetUnasked) {
  const Result<cgroup::Limits> limits = parse_limits({});
  ASSERT_TRUE(limits);
  EXPECT_EQ(to_value(*limits), to_value(cgroup::Limits{}));
  EXPECT_EQ(any_limit({}), "");
  EXPECT_EQ(any_limit({.pids = "1"}), "--pids-limit");
  EXPECT_EQ(limits_text(*limits), "none");
}

TEST(Limits, CanBeTakenAwayAgain) {
  for (const char* none : {"-1", "max", "unlimited"}) {
    const Result<cgroup::Limits> limits =
        parse_limits({.memory = none, .cpus = none, .pids = none});
    ASSERT_TRUE(limits) << none;
    EXPECT_EQ(limits->memory, -1);
    EXPECT_EQ(limits->cpu_quota, -1);
    EXPECT_EQ(limits->pids, -1);
  }
}

TEST(Limits, NonsenseIsRefusedByName) {
  const std::pair<LimitOptions, const char*> wrong[] = {{{.memory = "lots"}, "--memory"},
                                                        {{.memory = "1k"}, "--memory"},
                                                        {{.cpus = "0"}, "--cpus"},
                                                        {{.cpus = "two"}, "--cpus"},
                                                        {{.cpuset_cpus = "a"}, "--cpuset-cpus"},
                                                        {{.pids = "0"}, "--pids-limit"},
                                                        {{.pids = "-2"}, "--pids-limit"},
                                                        {{.io_weight = "5"}, "--io-weight"},
                                                        {{.io_weight = "1001"}, "--io-weight"}};
  for (const auto& [options, name] : wrong) {
    const Result<cgroup::Limits> limits = parse_limits(options);
    ASSERT_FALSE(limits) << name;
    EXPECT_TRUE(limits.error().detail.starts_with(name)) << limits.error().message();
    EXPECT_FALSE(limits.error().cure.empty()) << name;
  }
}

}  // namespace

}  // namespace umbel::cli
