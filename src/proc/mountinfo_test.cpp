#include "proc/mountinfo.h"

#include <gtest/gtest.h>

namespace umbel::proc {
namespace {

constexpr std::string_view typical =
    "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
    "23 27 0:22 / /sys rw,relatime shared:7 - sysfs sysfs rw\n"
    "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n"
    "31 23 0:28 / /sys/fs/cgroup ro,nosuid shared:9 master:3 propagate_from:2 - tmpfs tmpfs ro\n"
    "40 31 0:37 / /sys/fs/cgroup/systemd rw unbindable - cgroup cgroup rw,xattr,name=systemd\n";

TEST(Mountinfo, EveryField) {
  const auto mount = parse_mount(
      "36 35 98:10 /mnt1 /mnt2 rw,noatime shared:12 master:1 propagate_from:4 unbindable - ext3 "
      "/dev/root rw,errors=continue");
  ASSERT_TRUE(mount);
  EXPECT_EQ(mount->id, 36);
  EXPECT_EQ(mount->parent, 35);
  EXPECT_EQ(mount->major, 98U);
  EXPECT_EQ(mount->minor, 10U);
  EXPECT_EQ(mount->root, "/mnt1");
  EXPECT_EQ(mount->point, "/mnt2");
  EXPECT_EQ(mount->options, "rw,noatime");
  EXPECT_EQ(mount->shared, 12);
  EXPECT_EQ(mount->master, 1);
  EXPECT_EQ(mount->propagate_from, 4);
  EXPECT_TRUE(mount->unbindable);
  EXPECT_EQ(mount->type, "ext3");
  EXPECT_EQ(mount->source, "/dev/root");
  EXPECT_EQ(mount->super_options, "rw,errors=continue");
}

TEST(Mountinfo, TagsOfLaterKernelsArePassedOver) {
  const auto mount = parse_mount("1 2 0:5 / /a rw novel:3 - tmpfs none rw");
  ASSERT_TRUE(mount);
  EXPECT_EQ(mount->type, "tmpfs");
}

TEST(Mountinfo, EscapesOfTheKernel) {
  const auto mount =
      parse_mount(R"(1 2 0:5 /a\134b /with\040blank\011tab rw - fuse.x\040y a\012b rw)");
  ASSERT_TRUE(mount);
  EXPECT_EQ(mount->root, "/a\\b");
  EXPECT_EQ(mount->point, "/with blank\ttab");
  EXPECT_EQ(mount->type, "fuse.x y");
  EXPECT_EQ(mount->source, "a\nb");
}

TEST(Mountinfo, AnEmptySourceIsAllowed) {
  const auto mount = parse_mount("1 2 0:5 / /a rw - tmpfs  rw,size=4k");
  ASSERT_TRUE(mount);
  EXPECT_EQ(mount->source, "");
  EXPECT_EQ(mount->super_options, "rw,size=4k");
}

TEST(Mountinfo, BrokenLinesAreErrorsThatShowTheLine) {
  for (const std::string_view line :
       {"", "36", "x 35 98:0 / /a rw - ext3 dev rw", "36 35 98 / /a rw - ext3 dev rw",
        "36 35 98:0 / /a rw ext3 dev rw", "36 35 98:0 / /a rw shared:x - ext3 dev rw",
        "36 35 98:0 / /a rw - "}) {
    const auto mount = parse_mount(line);
    ASSERT_FALSE(mount) << line;
    EXPECT_NE(mount.error().message().find(line), std::string::npos);
  }
}

TEST(Mountinfo, MountsInOrder) {
  const auto mounts = parse_mounts(typical);
  ASSERT_TRUE(mounts);
  ASSERT_EQ(mounts->size(), 5U);
  EXPECT_EQ(mounts->back().point, "/sys/fs/cgroup/systemd");
  for (const Mount& mount : *mounts) EXPECT_FALSE(hidden(mount, *mounts)) << mount.point;
}

TEST(Mountinfo, AMountOnTopHides) {
  const auto mounts = parse_mounts(std::string(typical) +
                                   "50 40 0:40 / /sys/fs/cgroup/systemd rw - tmpfs tmpfs rw\n");
  ASSERT_TRUE(mounts);
  EXPECT_TRUE(hidden((*mounts)[4], *mounts));
  EXPECT_FALSE(hidden((*mounts)[5], *mounts));
}

TEST(Mountinfo, AMountOverADirectoryAboveHides) {
  // On top of the tmpfs, and later over /sys/fs, which the sysfs holds.
  for (const std::string_view over : {"50 31 0:40 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n",
                                      "50 23 0:40 / /sys/fs rw - tmpfs tmpfs rw\n"}) {
    const auto mounts = parse_mounts(std::string(typical) + std::string(over));
    ASSERT_TRUE(mounts);
    EXPECT_TRUE(hidden((*mounts)[4], *mounts)) << over;
    EXPECT_FALSE(hidden((*mounts)[0], *mounts)) << over;
    EXPECT_FALSE(hidden((*mounts)[5], *mounts)) << over;
  }
}

TEST(Mountinfo, TheMountOfAPath) {
  const auto mounts = parse_mounts(typical);
  ASSERT_TRUE(mounts);
  EXPECT_EQ(mount_of("/", *mounts)->id, 27);
  EXPECT_EQ(mount_of("/sysfoo", *mounts)->id, 27);
  EXPECT_EQ(mount_of("/sys/fs", *mounts)->id, 23);
  EXPECT_EQ(mount_of("/sys/fs/cgroup/systemd/a", *mounts)->id, 40);
}

}  // namespace
}  // namespace umbel::proc
