#include "rootfs/layers.h"

#include <gtest/gtest.h>

#include "rootfs/stack.h"

namespace umbel::rootfs {
namespace {

TEST(Layers, NamesLeadBackToPaths) {
  for (const char* path : {"/", "/home", "/var/lib/x", "/100%", "/a%2Fb", "/%2F"})
    EXPECT_EQ(layer_path(layer_name(path)), path);
  EXPECT_EQ(layer_name("/var/lib"), "var%2Flib");
  EXPECT_NE(layer_name("/"), layer_name("/root"));
}

proc::Mount mount(std::string point, std::string type, std::uint32_t major,
                  std::string super_options = "rw") {
  proc::Mount made;
  made.point = std::move(point);
  made.type = std::move(type);
  made.major = major;
  made.super_options = std::move(super_options);
  return made;
}

TEST(Layers, WhatIsTaken) {
  EXPECT_TRUE(is_taken(mount("/home", "ext4", 8)));
  EXPECT_TRUE(is_taken(mount("/tmp", "tmpfs", 0)));
  EXPECT_FALSE(is_taken(mount("/dev/shm", "tmpfs", 0)));
  EXPECT_TRUE(is_taken(mount("/devices", "tmpfs", 0)));
  EXPECT_FALSE(is_taken(mount("/mnt/share", "nfs4", 0)));
  EXPECT_FALSE(is_taken(mount("/mnt/disk", "fuseblk", 8)));
  EXPECT_FALSE(is_taken(mount("/run/netns/x", "nsfs", 0)));
  EXPECT_FALSE(is_taken(mount("/var/lib/docker/overlay2/x/merged", "overlay", 0,
                              "rw,lowerdir=/l,upperdir=/u,workdir=/w")));
  EXPECT_TRUE(is_taken(mount("/home", "overlay", 0,
                             "rw,lowerdir=/home,upperdir=layers/mounts/home/upper,workdir=w")));
}

TEST(Layers, WhatIsReadOnly) {
  EXPECT_TRUE(is_read_only(mount("/snap/x", "squashfs", 7, "ro,errors=continue")));
  EXPECT_TRUE(is_read_only(mount("/cd", "iso9660", 11, "ro")));
  EXPECT_FALSE(is_read_only(mount("/x", "ext4", 8, "rw,root=1")));
}

}  // namespace
}  // namespace umbel::rootfs
