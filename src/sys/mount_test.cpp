#include "sys/mount.h"

#include <linux/mount.h>

#include <algorithm>

#include "sys/testing.h"

namespace umbel::sys {

namespace {

// In a mount namespace of its own; the scratch directory is there to mount on.
class Mounts : public testing::Test {
 protected:
  void SetUp() override { UMBEL_NEEDS_ROOT(); }
  template <class Body>
  void privately(Body&& body) {
    in_child(CLONE_NEWNS, std::forward<Body>(body));
  }
  Fd tmpfs(std::uint64_t attributes = 0) {
    FileSystem made = *FileSystem::open("tmpfs");
    EXPECT_EQ(why_not(made.set("size", "1m")), "");
    return std::move(*made.mount(attributes));
  }
  Scratch scratch_;
};

TEST_F(Mounts, AFileSystemIsSeenOnlyOnceAttached) {
  privately([&] {
    Fd mount = tmpfs();
    ASSERT_TRUE(replace_file(mount, "file", "x"));
    EXPECT_FALSE(exists(scratch_.dir(), "file"));
    EXPECT_EQ(why_not(attach_at(mount, cwd, scratch_.path())), "");
    EXPECT_EQ(*read_file(cwd, scratch_.path("file")), "x");
    mount.close();
    EXPECT_EQ(why_not(unmount(scratch_.path(), 0)), "");
    EXPECT_FALSE(exists(cwd, scratch_.path("file")));
  });
  EXPECT_FALSE(exists(cwd, scratch_.path("file"))) << "it was mounted outside too";
}

TEST_F(Mounts, AttributesHold) {
  privately([&] {
    const Fd mount = tmpfs(MOUNT_ATTR_NOEXEC);
    ASSERT_TRUE(attach_at(mount, cwd, scratch_.path()));
    ASSERT_TRUE(replace_file(mount, "script", "#!/bin/sh\n", 0755));
    EXPECT_EQ(execute(scratch_.path("script"), {}, {}).code, EACCES);
    ASSERT_TRUE(set_attributes(mount, Depth::one, {.set = MOUNT_ATTR_RDONLY}));
    EXPECT_EQ(replace_file(mount, "other", "x").error().code, EROFS);
    ASSERT_TRUE(set_attributes(mount, Depth::one, {.clear = MOUNT_ATTR_RDONLY}));
    EXPECT_TRUE(replace_file(mount, "other", "x"));
  });
}

TEST_F(Mounts, ATreeIsClonedWithOrWithoutWhatIsMountedInIt) {
  privately([&] {
    ASSERT_TRUE(make_directories(scratch_.path("from/inner"), 0755));
    ASSERT_TRUE(make_directories(scratch_.path("to"), 0755));
    const Fd inner = tmpfs();
    ASSERT_TRUE(replace_file(inner, "mark", "x"));
    const Fd here = *open(cwd, scratch_.path(), O_PATH | O_DIRECTORY);
    ASSERT_TRUE(attach_at(inner, here, "from/inner"));
    for (const Depth depth : {Depth::one, Depth::recursive}) {
      const Fd copy = *clone_tree(here, "from", depth);
      ASSERT_EQ(why_not(attach_at(copy, here, "to")), "");
      EXPECT_EQ(exists(here, "to/inner/mark"), depth == Depth::recursive);
      ASSERT_EQ(why_not(unmount(scratch_.path("to"), MNT_DETACH)), "");
    }
  });
}

TEST_F(Mounts, ARefusedOptionIsExplained) {
  FileSystem made = *FileSystem::open("tmpfs");
  const Result<void> refused = made.set("size", "a lot");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("size=a lot"), std::string::npos)
      << refused.error().message();
  const Result<void> unknown = made.flag("no-such-option");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message().find("Unknown parameter"), std::string::npos)
      << unknown.error().message();
  EXPECT_EQ(FileSystem::open("no-such-fs").error().code, ENODEV);
}

TEST_F(Mounts, PivotLeavesNothingOfTheOldRoot) {
  privately([&] {
    const Fd root = tmpfs();
    ASSERT_TRUE(make_directory(root, "only", 0755));
    ASSERT_TRUE(attach_at(root, cwd, scratch_.path()));
    ASSERT_EQ(why_not(pivot_root(root)), "");
    EXPECT_EQ(*list(cwd, "/"), (std::vector<std::string>{"only"}));
    EXPECT_EQ(*list(cwd, "."), (std::vector<std::string>{"only"}));
    EXPECT_EQ(*list(cwd, "/.."), (std::vector<std::string>{"only"}));
    // The only mount left is the new root.
    const Fd proc = *FileSystem::open("proc")->mount();
    ASSERT_TRUE(attach_at(proc, cwd, "/only"));
    const std::string mounts = *read_file(cwd, "/only/self/mountinfo");
    EXPECT_EQ(std::ranges::count(mounts, '\n'), 2) << mounts;
  });
}

TEST_F(Mounts, ChangeRootConfinesPaths) {
  privately([&] {
    ASSERT_TRUE(make_directory(scratch_.dir(), "inside", 0755));
    ASSERT_EQ(why_not(change_root(scratch_.dir())), "");
    EXPECT_EQ(*list(cwd, "/"), (std::vector<std::string>{"inside"}));
  });
}

TEST_F(Mounts, PropagationCanBeStopped) {
  privately([&] {
    ASSERT_TRUE(attach_at(tmpfs(), cwd, scratch_.path()));
    ASSERT_TRUE(set_attributes_at(cwd, scratch_.path(), Depth::one, {.propagation = MS_SHARED}));
    ASSERT_TRUE(make_directories(scratch_.path("on"), 0755));
    in_child(0, [&] {
      ASSERT_TRUE(unshare(CLONE_NEWNS));
      ASSERT_TRUE(set_attributes_at(cwd, "/", Depth::recursive, {.propagation = MS_PRIVATE}));
      ASSERT_TRUE(attach_at(tmpfs(), cwd, scratch_.path("on")));
      ASSERT_TRUE(replace_file(*open(cwd, scratch_.path("on"), O_PATH), "mark", "x"));
    });
    EXPECT_FALSE(exists(cwd, scratch_.path("on/mark")));
  });
}

}  // namespace

}  // namespace umbel::sys
