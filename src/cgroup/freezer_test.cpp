#include "cgroup/testing.h"

namespace umbel::cgroup {
namespace {

using Counter = Shared<std::atomic<std::uint64_t>>;

class Freezer : public OnHost {
 protected:
  void SetUp() override {
    OnHost::SetUp();
    if (IsSkipped()) return;
    made_ = Cgroup::create(unique_name + "/a");
    ASSERT_OK(made_);
  }

  void TearDown() override {
    made_ = fail("ended");
    OnHost::TearDown();
  }

  // Several processes count as fast as they can.
  void start_counters() {
    for (int i = 0; i < 3; ++i)
      counting_.push_back(run(*made_, [&] {
        for (;;) ++*counter_;
        return 0;
      }));
    wait_for_counting();
  }
  void wait_for_counting() {
    const std::uint64_t before = *counter_;
    while (*counter_ == before) ::usleep(100);
  }
  bool counting() {
    const std::uint64_t before = *counter_;
    ::usleep(20000);
    return *counter_ != before;
  }

  void freezes_and_thaws(const Cgroup& cgroup) {
    EXPECT_FALSE(cgroup.frozen().value());
    for (int round = 0; round < 3; ++round) {
      ASSERT_OK(cgroup.freeze());
      EXPECT_TRUE(cgroup.frozen().value());
      EXPECT_FALSE(counting());
      ASSERT_OK(cgroup.thaw());
      EXPECT_FALSE(cgroup.frozen().value());
      wait_for_counting();
    }
  }

  Result<Cgroup> made_ = fail("not made");
  Counter counter_;
  std::vector<sys::Process> counting_;
};

TEST_F(Freezer, StopsAllAndLetsThemGoOn) {
  start_counters();
  freezes_and_thaws(*made_);
}

TEST_F(Freezer, OfV1DoesTheSame) {
  if (!has("freezer")) GTEST_SKIP() << "no v1 freezer here";
  start_counters();
  freezes_and_thaws(v1_of(*made_));
}

TEST_F(Freezer, ReachesNestedCgroups) {
  auto nested = Cgroup::create(unique_name + "/a/b");
  ASSERT_OK(nested);
  counting_.push_back(run(*nested, [&] {
    for (;;) ++*counter_;
    return 0;
  }));
  wait_for_counting();
  nested->detach();
  freezes_and_thaws(*made_);
}

TEST_F(Freezer, WhatIsFrozenCanBeKilled) {
  start_counters();
  ASSERT_OK(made_->freeze());
  ASSERT_OK(made_->kill(SIGKILL));
  for (sys::Process& process : counting_) EXPECT_EQ(process.wait()->signal, SIGKILL);
  ASSERT_OK(made_->remove());
}

TEST_F(Freezer, WhatV1HasFrozenCanBeKilled) {
  if (!has("freezer")) GTEST_SKIP() << "no v1 freezer here";
  start_counters();
  ASSERT_OK(v1_of(*made_).freeze());
  ASSERT_OK(made_->kill(SIGKILL));
  for (sys::Process& process : counting_) EXPECT_EQ(process.wait()->signal, SIGKILL);
  ASSERT_OK(made_->remove());
}

// What v1 has frozen does not answer cgroup2's freezer any more: a way to have one that never
// stops.
TEST_F(Freezer, OneThatDoesNotStopIsNamedAndAllRunOn) {
  if (!has("freezer") || version_ != Version::hybrid) GTEST_SKIP() << "no hybrid host";
  start_counters();
  ASSERT_OK(v1_of(*made_).freeze());
  const auto frozen = made_->freeze(std::chrono::milliseconds(50));
  if (frozen) GTEST_SKIP() << "this kernel counts it as stopped";
  EXPECT_EQ(frozen.error().code, ETIMEDOUT);
  const std::string pid = std::to_string(counting_.front().pid().value());
  EXPECT_NE(frozen.error().message().find(pid), std::string::npos) << frozen.error().message();
  EXPECT_FALSE(frozen.error().cure.empty());
  ASSERT_OK(made_->thaw());
  wait_for_counting();
}

TEST_F(Freezer, IsMissingWhereThereIsNone) {
  const Cgroup other =
      part(*made_, [](const std::string& hierarchy) { return hierarchy == "memory"; });
  const auto frozen = other.freeze();
  ASSERT_FALSE(frozen);
  EXPECT_EQ(frozen.error().code, EOPNOTSUPP);
  EXPECT_FALSE(frozen.error().cure.empty());
}

}  // namespace
}  // namespace umbel::cgroup
