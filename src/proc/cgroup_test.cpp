#include "proc/cgroup.h"

#include <gtest/gtest.h>

namespace umbel::proc {
namespace {

TEST(Memberships, OfAllVersions) {
  const auto found = parse_memberships(
      "9:name=systemd:/user.slice\n4:cpu,cpuacct:/a:b/c\n1:memory:/gone (deleted)\n0::/../x\n");
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 4U);
  EXPECT_EQ((*found)[0].controllers, "name=systemd");
  EXPECT_EQ((*found)[1].controllers, "cpu,cpuacct");
  EXPECT_EQ((*found)[1].path, "/a:b/c");
  EXPECT_EQ((*found)[2].path, "/gone");
  EXPECT_TRUE((*found)[2].deleted);
  EXPECT_EQ((*found)[3].hierarchy, 0);
  EXPECT_EQ((*found)[3].controllers, "");
  EXPECT_EQ((*found)[3].path, "/../x");
  EXPECT_FALSE((*found)[3].deleted);
}

TEST(Memberships, NoneIsFine) {
  const auto found = parse_memberships("");
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->empty());
}

TEST(Memberships, BrokenLinesAreErrors) {
  for (const std::string_view line : {"x", "1:memory", "x:memory:/", "1:memory:relative"})
    EXPECT_FALSE(parse_memberships(line)) << line;
}

}  // namespace
}  // namespace umbel::proc
