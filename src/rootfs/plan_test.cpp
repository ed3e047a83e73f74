#include "rootfs/plan.h"

#include <gtest/gtest.h>
#include <linux/mount.h>

namespace umbel::rootfs {
namespace {

Plan planned(std::string type, std::vector<std::string> options) {
  const Result<Plan> made =
      plan({.destination = "/x", .type = std::move(type), .source = "/y", .options = options});
  EXPECT_TRUE(made) << (made ? "" : made.error().message());
  return made ? *made : Plan{};
}
std::string refused(std::string type, std::vector<std::string> options) {
  const Result<Plan> made =
      plan({.destination = "/x", .type = std::move(type), .source = "/y", .options = options});
  return made ? "accepted" : made.error().message() + " [" + made.error().cure + "]";
}

TEST(Plan, AttributesAndFileSystemOptionsAreToldApart) {
  const Plan made = planned("tmpfs", {"nosuid", "nodev", "size=64m", "mode=1777"});
  EXPECT_EQ(made.kind, Plan::Kind::file_system);
  EXPECT_EQ(made.top.set, std::uint64_t{MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV});
  ASSERT_EQ(made.data.size(), 2U);
  EXPECT_EQ(made.data[0].key, "size");
  EXPECT_EQ(made.data[0].value, "64m");
  EXPECT_EQ(made.data[1].value, "1777");
}

TEST(Plan, LaterWordWins) {
  EXPECT_EQ(planned("tmpfs", {"ro", "rw"}).top.set, 0U);
  EXPECT_EQ(planned("tmpfs", {"ro", "rw"}).top.clear, std::uint64_t{MOUNT_ATTR_RDONLY});
  const Plan made = planned("tmpfs", {"rw", "ro"});
  EXPECT_EQ(made.top.set, std::uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(made.top.clear, 0U);
}

TEST(Plan, AccessTimeIsOneChoice) {
  EXPECT_EQ(planned("tmpfs", {"noatime"}).top.set, std::uint64_t{MOUNT_ATTR_NOATIME});
  EXPECT_EQ(planned("tmpfs", {"noatime"}).top.clear, std::uint64_t{MOUNT_ATTR__ATIME});
  EXPECT_EQ(planned("tmpfs", {"noatime", "strictatime"}).top.set,
            std::uint64_t{MOUNT_ATTR_STRICTATIME});
  EXPECT_EQ(planned("tmpfs", {"noatime", "relatime"}).top.set, 0U);
  EXPECT_EQ(planned("tmpfs", {"noatime", "relatime"}).top.clear, std::uint64_t{MOUNT_ATTR__ATIME});
  EXPECT_EQ(planned("tmpfs", {"nodiratime"}).top.set, std::uint64_t{MOUNT_ATTR_NODIRATIME});
}

TEST(Plan, RecursiveWordsAreKeptApart) {
  const Plan made = planned("bind", {"rbind", "rro", "nosuid", "rprivate"});
  EXPECT_EQ(made.kind, Plan::Kind::bind);
  EXPECT_EQ(made.depth, sys::Depth::recursive);
  EXPECT_EQ(made.tree.set, std::uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(made.top.set, std::uint64_t{MOUNT_ATTR_NOSUID});
  EXPECT_EQ(made.propagation.flag, std::uint64_t{MS_PRIVATE});
  EXPECT_EQ(made.propagation.depth, sys::Depth::recursive);
}

TEST(Plan, BindComesFromTypeOrOption) {
  EXPECT_EQ(planned("bind", {}).kind, Plan::Kind::bind);
  EXPECT_EQ(planned("none", {"bind"}).kind, Plan::Kind::bind);
  EXPECT_EQ(planned("", {"rbind"}).kind, Plan::Kind::bind);
  EXPECT_EQ(planned("cgroup", {"ro"}).kind, Plan::Kind::cgroup);
  EXPECT_EQ(planned("tmpfs", {"remount", "ro"}).kind, Plan::Kind::remount);
}

TEST(Plan, FileSystemOnADeviceIsItselfReadOnly) {
  ASSERT_EQ(planned("ext4", {"ro"}).data.size(), 1U);
  EXPECT_EQ(planned("ext4", {"ro"}).data[0].key, "ro");
  EXPECT_TRUE(planned("proc", {"ro"}).data.empty());
}

TEST(Plan, ContextLosesItsQuotes) {
  const Plan made = planned("tmpfs", {"context=\"system_u:object_r:tmp_t:s0:c1,c2\""});
  EXPECT_EQ(made.data[0].value, "system_u:object_r:tmp_t:s0:c1,c2");
}

TEST(Plan, BindRefusesWhatNoBindKnows) {
  EXPECT_EQ(refused("bind", {"rprivat"}),
            "a bind mount knows no option 'rprivat' [did you mean 'rprivate'?]");
  EXPECT_EQ(planned("bind", {"sync", "defaults"}).data.size(), 0U);
}

TEST(Plan, RefusesWhatCannotBe) {
  EXPECT_EQ(refused("proc", {"tmpcopyup"}), "the option tmpcopyup is for tmpfs, not proc []");
  EXPECT_EQ(refused("", {"ro"}),
            "the mount has no type [give it a type such as tmpfs, or the option bind]");
  EXPECT_FALSE(plan({.destination = "/a/..", .type = "tmpfs"}));
  EXPECT_FALSE(plan({.destination = "", .type = "tmpfs"}));
  EXPECT_FALSE(plan({.destination = "/x", .type = "bind"}));
}

TEST(Plan, PropagationWords) {
  EXPECT_EQ(propagation("")->flag, std::uint64_t{MS_SLAVE});
  EXPECT_EQ(propagation("rshared")->depth, sys::Depth::recursive);
  EXPECT_EQ(propagation("unbindable")->flag, std::uint64_t{MS_UNBINDABLE});
  EXPECT_FALSE(propagation("ro"));
}

TEST(Plan, CleanPath) {
  EXPECT_EQ(clean_path("/a//b/./c/"), "/a/b/c");
  EXPECT_EQ(clean_path("a/../../b"), "/b");
  EXPECT_EQ(clean_path("/.."), "/");
  EXPECT_EQ(clean_path(""), "/");
}

TEST(Plan, Within) {
  EXPECT_TRUE(within("/proc", "/proc"));
  EXPECT_TRUE(within("/proc/sys", "/proc"));
  EXPECT_FALSE(within("/processes", "/proc"));
  EXPECT_TRUE(within("/x", "/"));
}

// Every word of the specification's table is one of ours, and so never reaches a file system.
TEST(Plan, KnowsTheSpecification) {
  for (const char* word :
       {"async",       "atime",          "bind",          "defaults",     "dev",
        "diratime",    "exec",           "iversion",      "loud",         "noatime",
        "nodev",       "nodiratime",     "noexec",        "noiversion",   "nolazytime",
        "nomand",      "norelatime",     "nostrictatime", "nosuid",       "nosymfollow",
        "private",     "ratime",         "rbind",         "rdev",         "rdiratime",
        "relatime",    "rexec",          "rnoatime",      "rnodiratime",  "rnoexec",
        "rnorelatime", "rnostrictatime", "rnosuid",       "rnosymfollow", "ro",
        "rprivate",    "rrelatime",      "rro",           "rrw",          "rshared",
        "rslave",      "rstrictatime",   "rsuid",         "rsymfollow",   "runbindable",
        "rw",          "shared",         "silent",        "slave",        "strictatime",
        "suid",        "symfollow",      "tmpcopyup",     "unbindable"})
    EXPECT_TRUE(planned("tmpfs", {word}).data.empty()) << word;
}

}  // namespace
}  // namespace umbel::rootfs
