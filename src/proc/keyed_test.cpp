#include "proc/keyed.h"

#include <gtest/gtest.h>

namespace umbel::proc {

TEST(Keyed, ReadsStatusAndFdinfo) {
  const Keyed found = Keyed::parse(
      "Name:\ta:b\nUid:\t0\t1\t2\t3\nSigBlk:\t00000000000000ff\nVmPeak:\t  12 kB\nGroups:\t\n"
      "tfd: 5 events: 1\ntfd: 6 events: 2\ninotify wd:1 ino:2\n");
  EXPECT_EQ(found.text("Name"), "a:b");
  EXPECT_EQ(found.numbers("Uid").value(), (std::vector<std::uint64_t>{0, 1, 2, 3}));
  EXPECT_EQ(found.number("SigBlk", 16).value(), 255U);
  EXPECT_EQ(found.number("VmPeak").value(), 12U);
  EXPECT_TRUE(found.numbers("Groups").value().empty());
  EXPECT_EQ(found.all("tfd").size(), 2U);
  ASSERT_EQ(found.loose().size(), 1U);
  EXPECT_EQ(found.loose()[0], "inotify wd:1 ino:2");
  EXPECT_FALSE(found.number("Nothing"));
  EXPECT_FALSE(found.number("Name"));
}

}  // namespace umbel::proc
