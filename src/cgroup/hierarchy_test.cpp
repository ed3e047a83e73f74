#include "cgroup/hierarchy.h"

#include <gtest/gtest.h>

namespace umbel::cgroup {
namespace {

const std::string below =
    "22 1 0:1 / / rw - ext4 /dev/vda rw\n"
    "23 22 0:2 / /sys rw - sysfs sysfs rw\n"
    "24 23 0:3 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n";

std::vector<std::string> names(const std::vector<Hierarchy>& all) {
  std::vector<std::string> found;
  for (const Hierarchy& hierarchy : all) found.push_back(hierarchy.name + "@" + hierarchy.top);
  return found;
}

TEST(Hierarchies, OfV1WithControllersMountedTogether) {
  const auto found = hierarchies_in(
      below +
      "30 24 0:4 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct\n"
      "31 24 0:5 / /sys/fs/cgroup/systemd rw - cgroup cgroup "
      "rw,xattr,release_agent=/lib/systemd/systemd-cgroups-agent,name=systemd\n"
      "32 24 0:6 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset,noprefix,clone_children\n");
  ASSERT_TRUE(found);
  EXPECT_EQ(names(*found), (std::vector<std::string>{"cpu,cpuacct@/sys/fs/cgroup/cpu,cpuacct",
                                                     "name=systemd@/sys/fs/cgroup/systemd",
                                                     "cpuset@/sys/fs/cgroup/cpuset"}));
}

TEST(Hierarchies, Cgroup2ComesLastOnAHybridHost) {
  const auto found = hierarchies_in(below +
                                    "30 24 0:4 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
                                    "31 24 0:5 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n");
  ASSERT_TRUE(found);
  EXPECT_EQ(names(*found),
            (std::vector<std::string>{"pids@/sys/fs/cgroup/pids", "@/sys/fs/cgroup/unified"}));
}

TEST(Hierarchies, OfV2Alone) {
  const auto found = hierarchies_in(
      "23 22 0:2 / /sys rw - sysfs sysfs rw\n"
      "24 23 0:3 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n");
  ASSERT_TRUE(found);
  EXPECT_EQ(names(*found), std::vector<std::string>{"@/sys/fs/cgroup"});
}

TEST(Hierarchies, None) {
  const auto found = hierarchies_in(below);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->empty());
}

TEST(Hierarchies, TheMountThatShowsTheMostCounts) {
  const auto found = hierarchies_in(below +
                                    "30 24 0:4 /docker/1 /mnt rw - cgroup cgroup rw,pids\n"
                                    "31 24 0:4 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
                                    "32 22 0:4 / /again rw - cgroup cgroup rw,pids\n");
  ASSERT_TRUE(found);
  EXPECT_EQ(names(*found), std::vector<std::string>{"pids@/sys/fs/cgroup/pids"});
}

TEST(Hierarchies, OneThatIsCoveredDoesNotCount) {
  const auto found = hierarchies_in(below +
                                    "31 24 0:4 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
                                    "32 24 0:7 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  ASSERT_TRUE(found);
  EXPECT_EQ(names(*found), std::vector<std::string>{"@/sys/fs/cgroup"});
}

struct Own {
  const char* what;
  Hierarchy hierarchy;
  const char* memberships;
  const char* directory;  // nullptr: not to be seen
};

TEST(Hierarchies, TheDirectoryOfThisProcess) {
  const std::vector<Own> cases{
      {"at the root", {"pids", "/p", "/"}, "3:pids:/\n", "/p"},
      {"below the root", {"pids", "/p", "/"}, "4:cpu:/c\n3:pids:/a/b\n", "/p/a/b"},
      {"a container's mount", {"pids", "/p", "/docker/1"}, "3:pids:/docker/1\n", "/p"},
      {"below it", {"pids", "/p", "/docker/1"}, "3:pids:/docker/1/x\n", "/p/x"},
      {"beside it", {"pids", "/p", "/docker/1"}, "3:pids:/docker/12\n", nullptr},
      {"above the namespace's root", {"", "/u", "/"}, "0::/../x\n", nullptr},
      {"cgroup2", {"", "/u", "/"}, "3:pids:/a\n0::/user.slice/s.scope\n", "/u/user.slice/s.scope"},
      {"moved aside",
       {"", "/u", "/"},
       "0::/user.slice/s.scope/umbel-callers\n",
       "/u/user.slice/s.scope"},
      {"not in it at all", {"pids", "/p", "/"}, "0::/\n", nullptr},
  };
  for (const Own& own : cases) {
    const auto directory = own_directory_in(own.hierarchy, own.memberships);
    if (own.directory == nullptr)
      EXPECT_FALSE(directory) << own.what;
    else
      EXPECT_EQ(directory.value_or("none"), own.directory) << own.what;
  }
}

}  // namespace
}  // namespace umbel::cgroup
