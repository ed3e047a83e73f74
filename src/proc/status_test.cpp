#include "proc/status.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace umbel::proc {

namespace {

std::string content(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(Status, OfAProcessTwoNamespacesDeep) {
  const auto status = parse_status(
      "Name:\ta b\nUmask:\t0022\nState:\tS (sleeping)\nPPid:\t7\nUid:\t1000\t0\t0\t0\n"
      "Gid:\t100\t0\t0\t0\nNSpid:\t4242\t17\t1\nVmRSS:\t    2048 kB\n");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->name, "a b");
  EXPECT_EQ(status->state, 'S');
  EXPECT_EQ(status->parent, 7);
  EXPECT_EQ(status->uid, 1000U);
  EXPECT_EQ(status->gid, 100U);
  EXPECT_EQ(status->pids, (std::vector<std::int32_t>{4242, 17, 1}));
  EXPECT_EQ(status->resident_bytes, 2048U * 1024);
}

TEST(Status, OfThisProcess) {
  const auto status = parse_status(content("/proc/self/status"));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->pids.front(), ::getpid());
  EXPECT_EQ(status->parent, ::getppid());
  EXPECT_EQ(status->uid, ::getuid());
  EXPECT_GT(status->resident_bytes, 0U);
}

TEST(Status, OfSomethingElseIsAnError) {
  EXPECT_FALSE(parse_status(""));
  EXPECT_FALSE(parse_status("Name:\tx\n"));
}

TEST(Times, ANameMayHoldParentheses) {
  const auto times =
      parse_times("12 (a) b (c)) S 1 12 12 0 -1 4194304 99 0 0 0 31 41 0 0 20 0 1 0 777 1000 200");
  ASSERT_TRUE(times);
  EXPECT_EQ(times->user, 31U);
  EXPECT_EQ(times->system, 41U);
  EXPECT_EQ(times->start, 777U);
}

TEST(Times, OfSomethingElseIsAnError) {
  EXPECT_FALSE(parse_times(""));
  EXPECT_FALSE(parse_times("12 (a) S 1 2 3"));
}

}  // namespace

}  // namespace umbel::proc
