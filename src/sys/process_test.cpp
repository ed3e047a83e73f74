#include "sys/process.h"

#include <sys/wait.h>

#include <array>
#include <csignal>

#include "sys/testing.h"

namespace umbel::sys {

namespace {

using namespace std::chrono_literals;

[[noreturn]] int sleep_forever() {
  for (;;) ::pause();
}

TEST(Process, TellsTheExitStatus) {
  for (const int status : {0, 1, 42, 255}) {
    Process child = *start({}, [&] { return status; });
    const Exit ended = *child.wait();
    EXPECT_EQ(ended.status, status);
    EXPECT_EQ(ended.signal, 0);
    EXPECT_EQ(ended.code(), status);
  }
}

TEST(Process, TellsTheSignalThatKilled) {
  Process child = *start({}, sleep_forever);
  EXPECT_TRUE(child.kill(SIGTERM));
  const Exit ended = *child.wait();
  EXPECT_EQ(ended.signal, SIGTERM);
  EXPECT_EQ(ended.code(), 128 + SIGTERM);
}

TEST(Process, TellsASignalWithACoreToo) {
  Process child = *start({}, [] {
    ::signal(SIGABRT, SIG_DFL);
    ::kill(::getpid(), SIGABRT);
    return 0;
  });
  EXPECT_EQ(child.wait()->signal, SIGABRT);
}

TEST(Process, IsReapedOnce) {
  Process child = *start({}, [] { return 0; });
  EXPECT_TRUE(child.wait());
  EXPECT_FALSE(child.wait());
  EXPECT_FALSE(child.kill(SIGTERM));
  EXPECT_EQ(::waitpid(child.pid().value(), nullptr, WNOHANG), -1);
}

TEST(Process, DestructorKillsAndReaps) {
  HostPid pid;
  Fd watched;
  {
    const Process child = *start({}, sleep_forever);
    pid = child.pid();
    watched = *pidfd_open(pid);
    EXPECT_FALSE(*wait_end(watched, 0ms));
  }
  EXPECT_TRUE(*wait_end(watched, 0ms));
  EXPECT_EQ(::waitpid(pid.value(), nullptr, WNOHANG), -1) << "it was left as a zombie";
}

TEST(Process, AssignmentEndsTheOneBefore) {
  Process child = *start({}, sleep_forever);
  const Fd first = *pidfd_open(child.pid());
  child = *start({}, sleep_forever);
  EXPECT_TRUE(*wait_end(first, 0ms));
  EXPECT_FALSE(*wait_end(child.pidfd(), 0ms));
}

TEST(Process, LivesOnWhenDetached) {
  Fd pidfd;
  {
    Process child = *start({}, sleep_forever);
    pidfd = child.detach();
  }
  EXPECT_FALSE(*wait_end(pidfd, 20ms));
  ASSERT_TRUE(pidfd_signal(pidfd, SIGKILL));
  EXPECT_EQ(reap(pidfd)->signal, SIGKILL);
}

TEST(WaitEnd, WaitsNoLongerThanItIsToldAndNoticesTheEnd) {
  Process child = *start({}, [] {
    ::usleep(50'000);
    return 0;
  });
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(*wait_end(child.pidfd(), 5ms));
  EXPECT_LT(std::chrono::steady_clock::now() - before, 40ms);
  EXPECT_TRUE(*wait_end(child.pidfd(), std::chrono::milliseconds::max()));
}

TEST(Start, ChildHasItsOwnNamespaces) {
  UMBEL_NEEDS_ROOT();
  Process child = *start({.flags = CLONE_NEWPID | CLONE_NEWUTS},
                         [] { return ::getpid() == 1 && ::sethostname("inner", 5) == 0 ? 0 : 1; });
  EXPECT_EQ(child.wait()->code(), 0);
  std::array<char, 64> name{};
  ::gethostname(name.data(), name.size());
  EXPECT_STRNE(name.data(), "inner");
}

TEST(Start, GivesTheWantedPid) {
  UMBEL_NEEDS_ROOT();
  // Inside a new pid namespace every number but 1 is free.
  in_child(CLONE_NEWPID, [] {
    const std::array<pid_t, 1> wanted{4242};
    Process child = *start({.set_tid = wanted}, [] { return ::getpid() == 4242 ? 0 : 1; });
    EXPECT_EQ(child.pid(), HostPid(4242));
    EXPECT_EQ(child.wait()->code(), 0);
  });
}

TEST(PidfdGetfd, FetchesADescriptorOfAnotherProcess) {
  const Pipe ends = *pipe();
  Process child = *start({}, sleep_forever);
  const Result<Fd> stolen = pidfd_getfd(child.pidfd(), ends.write.number());
  if (!stolen && stolen.error().code == EPERM) GTEST_SKIP() << "ptrace of one's child is forbidden";
  ASSERT_EQ(why_not(stolen), "");
  ASSERT_TRUE(write_all(*stolen, "x"));
  std::array<char, 4> got{};
  EXPECT_EQ(*read(ends.read, got), 1U);
}

TEST(Pidfd, OfNobodyIsAnError) { EXPECT_EQ(pidfd_open(HostPid(0x7ffffffe)).error().code, ESRCH); }

TEST(Execute, RunsAProgramWithItsArgumentsAndEnvironment) {
  const Scratch scratch;
  const std::vector<std::string> args{"sh", "-c", "echo \"$1:$COLOUR\" > \"$0\"",
                                      scratch.path("out"), "arg one"};
  const std::vector<std::string> env{"COLOUR=green"};
  Process by_path = *start({}, [&] {
    (void)execute("/bin/sh", args, env);
    return 111;
  });
  EXPECT_EQ(by_path.wait()->code(), 0);
  EXPECT_EQ(*read_file(scratch.dir(), "out"), "arg one:green\n");
  ASSERT_TRUE(remove_file(scratch.dir(), "out"));
  const Fd shell = *open(cwd, "/bin/sh", O_PATH);
  Process by_fd = *start({}, [&] {
    (void)execute(shell, args, env);
    return 111;
  });
  EXPECT_EQ(by_fd.wait()->code(), 0);
  EXPECT_EQ(*read_file(scratch.dir(), "out"), "arg one:green\n");
}

TEST(Execute, SaysWhyItFailed) {
  const std::vector<std::string> none;
  EXPECT_EQ(execute("/nonexistent", none, none).message(),
            "execve /nonexistent: No such file or directory");
  EXPECT_EQ(execute("/etc", none, none).code, EACCES);
}

TEST(Signals, ArriveAtTheDescriptor) {
  in_child(0, [] {
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGUSR1);
    const Fd fd = *signal_descriptor(wanted);
    ::raise(SIGUSR1);
    std::array<char, 128> info{};
    EXPECT_EQ(*read(fd, info), 128U);
    EXPECT_EQ(info[0], SIGUSR1);
  });
}

TEST(Signals, AreResetForAProgram) {
  in_child(0, [] {
    ::signal(SIGPIPE, SIG_IGN);
    sigset_t all;
    sigfillset(&all);
    ASSERT_TRUE(block_signals(all));
    reset_signals();
    struct sigaction now{};
    ::sigaction(SIGPIPE, nullptr, &now);
    EXPECT_EQ(now.sa_handler, SIG_DFL);
    sigset_t blocked;
    ::sigprocmask(SIG_SETMASK, nullptr, &blocked);
    EXPECT_EQ(sigismember(&blocked, SIGTERM), 0);
  });
}

}  // namespace

}  // namespace umbel::sys
