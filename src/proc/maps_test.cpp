#include "proc/maps.h"

#include <gtest/gtest.h>

namespace umbel::proc {

TEST(Maps, ReadsLinesOfMaps) {
  const auto found = parse_mappings(
      "55d0c000-55d0e000 r-xp 00002000 fd:01 1234                       /a b\\012c (deleted)\n"
      "7ffd0000-7ffd1000 rw-s 00000000 00:00 0 \n");
  ASSERT_TRUE(found) << found.error().message();
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ((*found)[0].path, "/a b\nc (deleted)");
  EXPECT_EQ((*found)[0].start, 0x55d0c000U);
  EXPECT_EQ((*found)[0].offset, 0x2000U);
  EXPECT_EQ((*found)[0].major, 0xfdU);
  EXPECT_EQ((*found)[0].inode, 1234U);
  EXPECT_TRUE((*found)[0].execute);
  EXPECT_FALSE((*found)[0].write);
  EXPECT_TRUE((*found)[1].shared);
  EXPECT_EQ((*found)[1].path, "");
}

TEST(Maps, ReadsDetailsOfSmaps) {
  const auto found = parse_mappings(
      "7f00000000-7f00200000 rw-p 00000000 00:00 0          [heap]\n"
      "Size:               2048 kB\nKernelPageSize:     2048 kB\n"
      "ProtectionKey:         3\nVmFlags: rd wr mr gd \n");
  ASSERT_TRUE(found) << found.error().message();
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ((*found)[0].page_size, 2048U * 1024);
  EXPECT_EQ((*found)[0].protection_key, 3);
  EXPECT_TRUE((*found)[0].has("gd"));
  EXPECT_FALSE((*found)[0].has("lo"));
}

TEST(Maps, RefusesOtherText) { EXPECT_FALSE(parse_mappings("hello\n")); }

}  // namespace umbel::proc
