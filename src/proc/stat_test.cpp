#include "proc/stat.h"

#include <gtest/gtest.h>

namespace umbel::proc {

TEST(Stat, TakesANameWithParentheses) {
  const auto found = parse_stat(
      "42 (a) b (c) S 1 42 40 34816 42 4194304 1 2 3 4 5 6 7 8 20 0 3 0 987 1 2 "
      "18446744073709551615 100 200 300 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 400 500 600 700 800 900 "
      "1000 256\n");
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->pid, 42);
  EXPECT_EQ(found->name, "a) b (c");
  EXPECT_EQ(found->state, 'S');
  EXPECT_EQ(found->parent, 1);
  EXPECT_EQ(found->session, 40);
  EXPECT_EQ(found->threads, 3);
  EXPECT_EQ(found->start_time, 987U);
  EXPECT_EQ(found->start_code, 100U);
  EXPECT_EQ(found->exit_signal, 17);
  EXPECT_EQ(found->start_brk, 600U);
  EXPECT_EQ(found->env_end, 1000U);
  EXPECT_EQ(found->exit_code, 256);
}

TEST(Stat, RefusesOtherText) {
  EXPECT_FALSE(parse_stat(""));
  EXPECT_FALSE(parse_stat("1 (x) S 1 2"));
}

}  // namespace umbel::proc
