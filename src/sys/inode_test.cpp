#include "sys/inode.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "sys/procfs.h"
#include "sys/scheduling.h"
#include "sys/testing.h"
#include "sys/wait.h"

namespace umbel::sys {

namespace {

TEST(Inode, ContentsAreCopiedFromWhereTheFilesStand) {
  const Scratch scratch;
  std::string text(300'000, 'a');
  text.front() = 'b';
  scratch.file("from", text);
  scratch.file("to", "");
  const Fd from = *open(scratch.dir(), "from", O_RDONLY);
  const Fd to = *open(scratch.dir(), "to", O_WRONLY);
  ASSERT_EQ(why_not(copy_contents(from, to)), "");
  EXPECT_EQ(*read_file(scratch.dir(), "to"), text);
}

TEST(Inode, OwnerAndTimesOfALinkAreItsOwn) {
  UMBEL_NEEDS_ROOT();
  const Scratch scratch;
  scratch.file("file", "x");
  ASSERT_TRUE(symlink("file", scratch.dir(), "link"));
  ASSERT_TRUE(change_owner_at(scratch.dir(), "link", 12, 34));
  EXPECT_EQ(status_at(scratch.dir(), "link")->st_uid, 12U);
  EXPECT_EQ(status_at(scratch.dir(), "file")->st_uid, 0U);
  struct stat like{};
  like.st_mtim = {.tv_sec = 1'000'000, .tv_nsec = 5};
  ASSERT_TRUE(set_times_at(scratch.dir(), "link", like));
  EXPECT_EQ(status_at(scratch.dir(), "link")->st_mtim.tv_sec, 1'000'000);
  EXPECT_GT(status_at(scratch.dir(), "file")->st_mtim.tv_sec, 1'000'000);
}

TEST(Inode, ExtendedAttributes) {
  UMBEL_NEEDS_ROOT();
  const Scratch scratch;
  scratch.file("file", "x");
  const std::string path = scratch.path("file");
  const Fd fd = *open(scratch.dir(), "file", O_RDONLY);
  EXPECT_EQ(*extended_attribute(fd, "trusted.umbel"), std::nullopt);
  const Result<void> set = set_extended_attribute_at(path, "trusted.umbel", "value");
  if (!set && set.error().code == EOPNOTSUPP) GTEST_SKIP() << "/tmp keeps no such attributes";
  ASSERT_EQ(why_not(set), "");
  EXPECT_EQ(*extended_attribute(fd, "trusted.umbel"), "value");
  EXPECT_EQ(*extended_attribute_at(path, "trusted.umbel"), "value");
  EXPECT_EQ(extended_attribute_at(path + "x", "trusted.umbel").error().code, ENOENT);
}

TEST(Procfs, IsRefusedWhenItIsNotOne) {
  UMBEL_NEEDS_ROOT();
  const Scratch scratch;
  EXPECT_FALSE(open_procfs(scratch.path()));
  in_child(CLONE_NEWNS, [&] {
    ASSERT_EQ(::mount("/proc/self", scratch.path().c_str(), nullptr, MS_BIND, nullptr), 0);
    EXPECT_FALSE(open_procfs(scratch.path())) << "a directory of it passed for its top";
  });
}

TEST(Procfs, NoticesWhatWasMountedOver) {
  UMBEL_NEEDS_ROOT();
  in_child(CLONE_NEWNS, [] {
    const Fd before = *open_procfs();
    EXPECT_TRUE(open_in_procfs(before, "self/oom_score_adj", O_RDWR));
    ASSERT_EQ(::mount("/dev/null", "/proc/self/oom_score_adj", nullptr, MS_BIND, nullptr), 0);
    const Fd after = *open_procfs();
    EXPECT_EQ(open_in_procfs(after, "self/oom_score_adj", O_RDWR).error().code, EXDEV);
    EXPECT_EQ(open_in_procfs(after, "self/root", O_PATH).error().code, ELOOP);
  });
}

TEST(Scheduling, IsReadBackAsItWasSet) {
  in_child(0, [] {
    SchedulingAttributes attributes = *get_scheduling();
    attributes.nice = 7;
    ASSERT_EQ(why_not(set_scheduling(attributes)), "");
    EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), 7);
    constexpr int idle = 3 << 13;
    ASSERT_TRUE(set_io_priority(idle));
    EXPECT_EQ(*get_io_priority(), idle);
    const std::vector<unsigned> all = *get_affinity();
    ASSERT_TRUE(set_affinity({all.back()}));
    EXPECT_EQ(*get_affinity(), std::vector<unsigned>{all.back()});
    EXPECT_EQ(set_affinity({}).error().code, EINVAL);
    constexpr std::uint32_t no_randomize = 0x0040000;
    ASSERT_TRUE(set_personality(no_randomize));
    EXPECT_EQ(*get_personality(), no_randomize);
  });
}

TEST(Wait, EndsAtAnEventOrWhenTimeIsUp) {
  using namespace std::chrono_literals;
  const Pipe ends = *pipe();
  EXPECT_FALSE(*wait_ready(ends.read, POLLIN, 5ms));
  EXPECT_FALSE(*wait_ready(ends.read, POLLIN, -1ms)) << "a negative time is none, not endless";
  ASSERT_TRUE(write_all(ends.write, "x"));
  EXPECT_TRUE(*wait_ready(ends.read, POLLIN, std::chrono::milliseconds::max()));
}

TEST(Wait, IsNotProlongedBySignals) {
  using namespace std::chrono_literals;
  const Pipe ends = *pipe();
  in_child(0, [&] {
    struct sigaction action{};
    action.sa_handler = [](int) {};
    ::sigaction(SIGALRM, &action, nullptr);
    const itimerval often{.it_interval = {0, 5'000}, .it_value = {0, 5'000}};
    ::setitimer(ITIMER_REAL, &often, nullptr);
    const auto before = std::chrono::steady_clock::now();
    EXPECT_FALSE(*wait_ready(ends.read, POLLIN, 50ms));
    const auto took = std::chrono::steady_clock::now() - before;
    EXPECT_GE(took, 50ms);
    EXPECT_LT(took, 5s);
  });
}

}  // namespace

}  // namespace umbel::sys
