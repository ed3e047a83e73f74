#include "proc/locks.h"

#include <gtest/gtest.h>

namespace umbel::proc {

TEST(Locks, HoldersAndThoseWhoWait) {
  const auto locks = parse_locks(
      "1: POSIX  ADVISORY  WRITE 1234 fd:01:5678 0 EOF\n"
      "1: -> POSIX  ADVISORY  READ 99 fd:01:5678 0 9\n"
      "2: OFDLCK ADVISORY  READ -1 00:2a:7 128 128\n"
      "3: FLOCK  ADVISORY  WRITE 0 103:00:11 0 EOF\n"
      "4: LEASE  ACTIVE    READ 5 <none>:0 0 EOF\n");
  ASSERT_TRUE(locks) << locks.error().message();
  ASSERT_EQ(locks->size(), 4U);
  EXPECT_EQ((*locks)[0].pid, 1234);
  EXPECT_EQ((*locks)[0].major, 0xfdU);
  EXPECT_EQ((*locks)[0].minor, 1U);
  EXPECT_EQ((*locks)[0].inode, 5678U);
  EXPECT_TRUE((*locks)[0].exclusive);
  EXPECT_FALSE((*locks)[0].waiting);
  EXPECT_TRUE((*locks)[1].waiting);
  EXPECT_EQ((*locks)[2].pid, -1);
  EXPECT_EQ((*locks)[3].major, 0x103U);
}

TEST(Locks, WhatIsNoneIsAnError) {
  EXPECT_TRUE(parse_locks("")->empty());
  EXPECT_FALSE(parse_locks("1: POSIX ADVISORY\n"));
  EXPECT_FALSE(parse_locks("1: POSIX ADVISORY WRITE x fd:01:5 0 EOF\n"));
  EXPECT_FALSE(parse_locks("1: POSIX ADVISORY WRITE 1 fd:01 0 EOF\n"));
}

}  // namespace umbel::proc
