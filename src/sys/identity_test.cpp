#include "sys/identity.h"

#include <sys/prctl.h>

#include <array>

#include "sys/credentials.h"
#include "sys/testing.h"

namespace umbel::sys {

namespace {

TEST(Identity, OfTheHostIsChangedInItsNamespaceOnly) {
  UMBEL_NEEDS_ROOT();
  const Names before = *names();
  in_child(CLONE_NEWUTS, [] {
    ASSERT_TRUE(set_host_name("inner"));
    ASSERT_TRUE(set_domain_name("domain"));
    EXPECT_EQ(names()->host, "inner");
    EXPECT_EQ(names()->domain, "domain");
    EXPECT_FALSE(names()->release.empty());
    EXPECT_EQ(set_host_name(std::string(65, 'x')).error().code, EINVAL);
  });
  EXPECT_EQ(names()->host, before.host);
}

TEST(Identity, OfAProcess) {
  in_child(0, [] {
    EXPECT_EQ(own_pid(), HostPid(::getpid()));
    ASSERT_TRUE(set_process_name("named"));
    EXPECT_EQ(*read_file(cwd, "/proc/self/comm"), "named\n");
    ASSERT_TRUE(new_session());
    EXPECT_EQ(::getsid(0), ::getpid());
    ASSERT_TRUE(set_dumpable(false));
    EXPECT_EQ(::prctl(PR_GET_DUMPABLE), 0);
  });
}

TEST(Identity, ADeadParentTakesItsChildAlong) {
  Pipe life = *pipe();
  in_child(0, [&] {
    const Pipe ready = *pipe();
    Process child = *start({}, [&] {
      if (!set_parent_death_signal(SIGKILL) || !write_all(ready.write, "x")) return 1;
      for (;;) ::pause();
    });
    std::array<char, 1> answer{};
    EXPECT_EQ(*read(ready.read, answer), 1U);
    (void)child.detach();
  });
  life.write.close();
  // Only a child that lives on would still hold the other end.
  std::array<char, 1> nothing{};
  EXPECT_EQ(*read(life.read, nothing), 0U);
}

TEST(Identity, TheLoopbackLinkComesUp) {
  UMBEL_NEEDS_ROOT();
  in_child(CLONE_NEWNET, [] {
    EXPECT_EQ(set_link_up("none").error().code, ENODEV);
    EXPECT_EQ(why_not(set_link_up("lo")), "");
  });
}

TEST(Credentials, AreAllThreeChangedForGood) {
  UMBEL_NEEDS_ROOT();
  in_child(0, [] {
    const std::array<gid_t, 2> groups{7, 8};
    ASSERT_TRUE(set_groups(groups));
    EXPECT_EQ(*get_groups(), (std::vector<gid_t>{7, 8}));
    ASSERT_TRUE(set_group(1234));
    ASSERT_TRUE(set_user(1234));
    std::array<uid_t, 3> ids{};
    ASSERT_EQ(::getresuid(&ids[0], &ids[1], &ids[2]), 0);
    EXPECT_EQ(ids, (std::array<uid_t, 3>{1234, 1234, 1234}));
    EXPECT_EQ(own_uid(), 1234U);
    EXPECT_EQ(own_gid(), 1234U);
    EXPECT_EQ(set_user(0).error().code, EPERM);
  });
}

TEST(Credentials, LimitsHold) {
  in_child(0, [] {
    Limit files = *get_limit(7);  // RLIMIT_NOFILE
    files.soft = 8;
    ASSERT_TRUE(set_limit(7, files));
    EXPECT_EQ(get_limit(7)->soft, 8U);
    std::vector<Fd> opened;
    Result<Fd> next = open(cwd, "/dev/null", O_RDONLY);
    for (; next && opened.size() < 10; next = open(cwd, "/dev/null", O_RDONLY))
      opened.push_back(std::move(*next));
    ASSERT_FALSE(next);
    EXPECT_EQ(next.error().code, EMFILE);
  });
}

}  // namespace

}  // namespace umbel::sys
