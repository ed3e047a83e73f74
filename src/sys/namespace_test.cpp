#include "sys/namespace.h"

#include <array>

#include "sys/testing.h"

namespace umbel::sys {

namespace {

Fd own(const char* kind) {
  return std::move(*open(cwd, std::string("/proc/self/ns/") + kind, O_RDONLY));
}

struct KindCase {
  const char* name;
  std::uint64_t flag;
};

TEST(Namespace, TellsItsKind) {
  for (const auto& [name, flag] : std::to_array<KindCase>({{"pid", CLONE_NEWPID},
                                                           {"net", CLONE_NEWNET},
                                                           {"mnt", CLONE_NEWNS},
                                                           {"uts", CLONE_NEWUTS},
                                                           {"ipc", CLONE_NEWIPC},
                                                           {"user", CLONE_NEWUSER},
                                                           {"cgroup", CLONE_NEWCGROUP},
                                                           {"time", CLONE_NEWTIME}}))
    EXPECT_EQ(*namespace_kind(own(name)), flag) << name;
  EXPECT_EQ(namespace_kind(*open(cwd, "/dev/null", O_RDONLY)).error().code, ENOTTY);
}

TEST(Namespace, IsLeftAndJoinedAgain) {
  UMBEL_NEEDS_ROOT();
  in_child(0, [] {
    const Fd home = own("uts");
    const Identity before = *identity(home);
    ASSERT_TRUE(unshare(CLONE_NEWUTS));
    EXPECT_NE(*identity(own("uts")), before);
    EXPECT_EQ(setns(home, CLONE_NEWNET).error().code, EINVAL) << "it is of another kind";
    ASSERT_TRUE(setns(home, CLONE_NEWUTS));
    EXPECT_EQ(*identity(own("uts")), before);
  });
}

TEST(Namespace, IsJoinedByPidfd) {
  UMBEL_NEEDS_ROOT();
  const Process child = *start({.flags = CLONE_NEWUTS | CLONE_NEWIPC}, [] {
    for (;;) ::pause();
    return 0;
  });
  const std::string inside = "/proc/" + std::to_string(child.pid().value()) + "/ns/";
  in_child(0, [&] {
    ASSERT_TRUE(setns(child.pidfd(), CLONE_NEWUTS | CLONE_NEWIPC));
    for (const char* kind : {"uts", "ipc"})
      EXPECT_EQ(*identity(own(kind)), *identity(*open(cwd, inside + kind, O_PATH))) << kind;
  });
}

TEST(Namespace, KnowsItsOwnerAndParent) {
  EXPECT_EQ(*identity(*namespace_owner(own("uts"))), *identity(own("user")));
  UMBEL_NEEDS_ROOT();
  const Identity outer = *identity(own("pid"));
  in_child(CLONE_NEWPID | CLONE_NEWNS, [&] {
    const Fd proc = *open(cwd, "/proc", O_PATH);
    ASSERT_EQ(::mount("proc", "/proc", "proc", 0, nullptr), 0);
    EXPECT_NE(*identity(own("pid")), outer);
    // The parent lies outside of what this process may see.
    EXPECT_EQ(namespace_parent(own("pid")).error().code, EPERM);
  });
}

}  // namespace

}  // namespace umbel::sys
