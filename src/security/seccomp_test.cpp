// Filters on the running kernel: every child installs one and tells what it then meets.
#include "security/seccomp.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/record.h"
#include "security/credentials.h"
#include "security/in_child.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/namespace.h"

namespace umbel::security {
namespace {

Filter made(const Seccomp& profile) {
  Result<Filter> filter = compile(profile, "");
  EXPECT_TRUE(filter) << filter.error().message();
  return filter ? std::move(*filter) : Filter{};
}

// All is allowed but for one rule.
Seccomp one_rule(SeccompRule rule) {
  return {.default_action = "SCMP_ACT_ALLOW", .rules = {std::move(rule)}};
}

// The error that `call` meets under the filter.
int met(const Filter& filter, auto call) {
  return in_child([&] {
    if (!forbid_new_privileges() || !install(filter)) return 255;
    return error_of(call());
  });
}

std::string problem(const Seccomp& profile) {
  const Result<Filter> filter = compile(profile, "");
  return filter ? "" : filter.error().message() + " | " + filter.error().cure;
}

TEST(Seccomp, TheDefaultProfileHoldsOnThisKernel) {
  const Filter filter = made(default_seccomp(default_capabilities()));
  EXPECT_EQ(met(filter, [] { return ::mount("none", "/mnt", "tmpfs", 0, nullptr); }), EPERM);
  EXPECT_EQ(met(filter, [] { return ::unshare(CLONE_NEWUSER); }), EPERM);
  EXPECT_EQ(met(filter, [] { return ::syscall(SYS_keyctl, 0, 0, 0, 0); }), EPERM);
  EXPECT_EQ(met(filter, [] { return ::syscall(SYS_clone3, nullptr, 0); }), ENOSYS);
  EXPECT_EQ(met(filter, [] { return ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0); }), EPERM);
  EXPECT_EQ(met(filter, [] { return ::socket(AF_VSOCK, SOCK_STREAM, 0); }), EPERM);
  EXPECT_EQ(met(filter, [] { return ::socket(AF_ALG, SOCK_SEQPACKET, 0); }), EPERM);
  EXPECT_EQ(met(filter, [] { return ::socket(AF_INET, SOCK_STREAM, 0); }), 0);
  EXPECT_EQ(met(filter, [] { return ::personality(0xffffffff); }), 0);
  EXPECT_EQ(met(filter, [] { return ::personality(ADDR_NO_RANDOMIZE); }), EPERM);
  EXPECT_EQ(met(filter, [] { return ::syscall(900); }), ENOSYS);
  // fchmodat2 (Linux 6.6): reaches the kernel, which has it or not; EPERM would come from the
  // filter.
  EXPECT_NE(met(filter, [] { return ::syscall(452, AT_FDCWD, "/nothing/here", 0600, 0); }), EPERM);
}

TEST(Seccomp, AProgramWorksInsideTheDefaultProfile) {
  const Filter filter = made(default_seccomp(default_capabilities()));
  EXPECT_EQ(in_child([&] {
              if (!forbid_new_privileges() || !install(filter)) return 255;
              const std::vector<std::string> args{"sh", "-c", "ls / | wc -l >/dev/null && exit 7"};
              (void)sys::execute("/bin/sh", args, std::vector<std::string>{"PATH=/bin:/usr/bin"});
              return 254;
            }),
            7);
}

#ifdef __x86_64__
// The same number means another call in the 32-bit ABI, so a filter that forgot it would leak.
long call_32_bit(long number) {
  long answer = 0;
  __asm__ volatile("int $0x80" : "=a"(answer) : "a"(number), "b"(0), "c"(0), "d"(0) : "memory");
  return answer;
}

TEST(Seccomp, CoversThe32BitAbi) {
  constexpr int getpid_32 = 20, mount_32 = 21, clone3_32 = 435;
  if (in_child([] { return call_32_bit(getpid_32) == ::getpid() ? 0 : 1; }) != 0)
    GTEST_SKIP() << "this kernel runs no 32-bit programs";
  const Filter filter = made(default_seccomp(default_capabilities()));
  EXPECT_EQ(met(filter, [] { return call_32_bit(getpid_32) == ::getpid() ? 0 : -1; }), 0);
  const auto answer = [&](long number) {
    return in_child([&] {
      if (!forbid_new_privileges() || !install(filter)) return 255;
      return static_cast<int>(-call_32_bit(number));
    });
  };
  EXPECT_EQ(answer(mount_32), EPERM);
  EXPECT_EQ(answer(clone3_32), ENOSYS);
  // An ABI that the profile does not list ends the program.
  Seccomp native_only = default_seccomp(default_capabilities());
  native_only.architectures = {"SCMP_ARCH_NATIVE"};
  const Filter narrow = made(native_only);
  EXPECT_EQ(met(narrow, [] { return call_32_bit(getpid_32); }), 128 + SIGSYS);
}
#endif

TEST(Seccomp, EveryActionDoesWhatItsNameSays) {
  const auto under = [](std::string action, std::optional<std::uint32_t> number = std::nullopt) {
    const Filter filter = made(one_rule({{"getppid"}, std::move(action), number, {}}));
    return met(filter, [] { return ::syscall(SYS_getppid); });
  };
  EXPECT_EQ(under("SCMP_ACT_ERRNO"), EPERM);
  EXPECT_EQ(under("SCMP_ACT_ERRNO", ENOTTY), ENOTTY);
  EXPECT_EQ(under("SCMP_ACT_KILL_PROCESS"), 128 + SIGSYS);
  EXPECT_EQ(under("SCMP_ACT_KILL_THREAD"), 128 + SIGSYS);
  EXPECT_EQ(under("SCMP_ACT_KILL"), 128 + SIGSYS);
  EXPECT_EQ(under("SCMP_ACT_TRAP"), 128 + SIGSYS);
  EXPECT_EQ(under("SCMP_ACT_TRACE", 1), ENOSYS);  // nobody traces
  EXPECT_EQ(under("SCMP_ACT_LOG"), 0);
  EXPECT_EQ(under("SCMP_ACT_ALLOW"), 0);
}

TEST(Seccomp, EveryOperatorCompares) {
  struct Case {
    const char* op;
    std::uint64_t value, value_two;
    std::uint64_t matches, differs;
  };
  const Case cases[] = {
      {"SCMP_CMP_EQ", 7, 0, 7, 8},          {"SCMP_CMP_NE", 7, 0, 8, 7},
      {"SCMP_CMP_LT", 7, 0, 6, 7},          {"SCMP_CMP_LE", 7, 0, 7, 8},
      {"SCMP_CMP_GT", 7, 0, 8, 7},          {"SCMP_CMP_GE", 7, 0, 7, 6},
      {"SCMP_CMP_MASKED_EQ", 6, 4, 13, 14}, {"SCMP_CMP_EQ", 1ULL << 40, 0, 1ULL << 40, 0},
  };
  for (const Case& one : cases) {
    const Filter filter = made(
        one_rule({{"tee"}, "SCMP_ACT_ERRNO", ENOTTY, {{2, one.value, one.value_two, one.op}}}));
    const auto tee = [](std::uint64_t length) {
      return [length] { return ::syscall(SYS_tee, -1, -1, length, 0); };
    };
    EXPECT_EQ(met(filter, tee(one.matches)), ENOTTY) << one.op;
    EXPECT_NE(met(filter, tee(one.differs)), ENOTTY) << one.op;
  }
}

TEST(Seccomp, ArgumentsAreAndedButOneIndexTwiceIsOr) {
  const auto tee = [](int in, int out) {
    return [in, out] { return ::syscall(SYS_tee, in, out, 0, 0xff); };
  };
  const Filter both = made(one_rule(
      {{"tee"}, "SCMP_ACT_ERRNO", ENOTTY, {{0, 1, 0, "SCMP_CMP_EQ"}, {1, 2, 0, "SCMP_CMP_EQ"}}}));
  EXPECT_EQ(met(both, tee(1, 2)), ENOTTY);
  EXPECT_NE(met(both, tee(1, 3)), ENOTTY);
  const Filter either = made(one_rule(
      {{"tee"}, "SCMP_ACT_ERRNO", ENOTTY, {{0, 1, 0, "SCMP_CMP_EQ"}, {0, 2, 0, "SCMP_CMP_EQ"}}}));
  EXPECT_EQ(met(either, tee(1, 9)), ENOTTY);
  EXPECT_EQ(met(either, tee(2, 9)), ENOTTY);
  EXPECT_NE(met(either, tee(3, 9)), ENOTTY);
}

TEST(Seccomp, UnknownNamesArePassedOverAndNewerCallsCount) {
  Seccomp profile = one_rule({{"no_such_call", "statmount"}, "SCMP_ACT_ERRNO", ENOTTY, {}});
  EXPECT_EQ(met(made(profile), [] { return ::syscall(457, 0, 0, 0, 0); }), ENOTTY);
  // Its arguments can't be looked at, so a refusal holds for all of them.
  profile.rules[0].args = {{0, 1, 0, "SCMP_CMP_EQ"}};
  EXPECT_EQ(met(made(profile), [] { return ::syscall(457, 0, 0, 0, 0); }), ENOTTY);
}

TEST(Seccomp, CallsAboveTheProfilesHighestAreUnknown) {
  // sigaltstack: a sanitizer calls it when the child exits.
  Seccomp old{.default_action = "SCMP_ACT_ERRNO",
              .rules = {{{"sigaltstack", "exit_group", "exit", "prctl", "seccomp", "getrandom"},
                         "SCMP_ACT_ALLOW",
                         std::nullopt,
                         {}}}};
  const Filter filter = made(old);
  const int highest = SYS_seccomp > SYS_getrandom ? SYS_seccomp : SYS_getrandom;
  EXPECT_EQ(met(filter, [] { return ::syscall(SYS_getppid); }), EPERM);
  EXPECT_EQ(met(filter, [&] { return ::syscall(highest + 1, -1); }), ENOSYS);
  EXPECT_EQ(met(filter, [] { return ::syscall(SYS_clone3, nullptr, 0); }), ENOSYS);
}

TEST(Seccomp, AListenerIsNotifiedAndAnswers) {
  const Filter filter = made(one_rule({{"getppid"}, "SCMP_ACT_NOTIFY", std::nullopt, {}}));
  ASSERT_TRUE(filter.listener);
  Result<sys::Channel> channel = sys::channel();
  ASSERT_TRUE(channel);
  Result<sys::Process> child = sys::start({}, [&] {
    if (!forbid_new_privileges()) return 255;
    const auto listener = install(filter);
    if (!listener || !*listener) return 254;
    const FdRef listening[] = {**listener};
    if (!sys::send(channel->theirs, "listener", listening)) return 253;
    return static_cast<int>(::syscall(SYS_getppid));
  });
  ASSERT_TRUE(child);
  Result<sys::Message> message = sys::receive(channel->ours);
  ASSERT_TRUE(message && message->fds.size() == 1);
  const int listener = message->fds[0].number();
  seccomp_notif call{};
  ASSERT_EQ(::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call), 0);
  EXPECT_EQ(call.data.nr, SYS_getppid);
  EXPECT_EQ(static_cast<pid_t>(call.pid), child->pid().value());
  seccomp_notif_resp answer{.id = call.id, .val = 42};
  ASSERT_EQ(::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer), 0);
  EXPECT_EQ(child->wait()->code(), 42);
}

TEST(Seccomp, FlagsReachTheKernel) {
  Seccomp profile = one_rule({{"getppid"}, "SCMP_ACT_ERRNO", ENOTTY, {}});
  EXPECT_EQ(made(profile).flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
  profile.flags = std::vector<std::string>();
  EXPECT_EQ(made(profile).flags, 0U);
  profile.flags = {"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"};
  const Filter filter = made(profile);
  // TSYNC: a thread that was there before the filter is under it too.
  EXPECT_EQ(in_child([&] {
              static std::atomic<int> go = 0, met_by_thread = -1;
              pthread_t thread{};
              if (::pthread_create(
                      &thread, nullptr,
                      [](void*) -> void* {
                        while (go == 0) ::usleep(1000);
                        met_by_thread = error_of(::syscall(SYS_getppid));
                        return nullptr;
                      },
                      nullptr) != 0)
                return 255;
              if (!forbid_new_privileges() || !install(filter)) return 254;
              go = 1;
              ::pthread_join(thread, nullptr);
              return met_by_thread.load();
            }),
            ENOTTY);
  profile.rules[0] = {{"getppid"}, "SCMP_ACT_NOTIFY", std::nullopt, {}};
  profile.flags = {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", "SECCOMP_FILTER_FLAG_TSYNC"};
  EXPECT_EQ(in_child([&] {
              if (!forbid_new_privileges()) return 255;
              const auto listener = install(made(profile));
              return listener && *listener ? 0 : 1;
            }),
            0);
}

TEST(Seccomp, InstallingNeedsARight) {
  const Filter filter = made(one_rule({{"getppid"}, "SCMP_ACT_ERRNO", ENOTTY, {}}));
  EXPECT_EQ(in_child([&] {
              if (!become({.uid = 12345, .gid = 12345})) return 255;
              const auto installed = install(filter);
              if (installed) return 254;
              const bool reads_well = installed.error().cure.contains("no_new_privileges");
              return installed.error().code == EACCES && reads_well ? 0 : 1;
            }),
            0);
}

TEST(Seccomp, ErrorsNameWhatIsWrong) {
  EXPECT_EQ(problem({.default_action = "SCMP_ACT_ALOW"}),
            "compiling the seccomp profile: 'SCMP_ACT_ALOW' is no seccomp action | did you mean "
            "SCMP_ACT_ALLOW?");
  EXPECT_TRUE(problem({.default_action = "SCMP_ACT_NOTIFY"}).contains("can't be SCMP_ACT_NOTIFY"));
  EXPECT_TRUE(problem({.default_action = "SCMP_ACT_ALLOW", .architectures = {"SCMP_ARCH_X68"}})
                  .contains("did you mean SCMP_ARCH_X86?"));
  EXPECT_TRUE(problem({.default_action = "SCMP_ACT_ALLOW",
                       .flags = std::vector<std::string>{"SECCOMP_FILTER_FLAG_TSINC"}})
                  .contains("did you mean SECCOMP_FILTER_FLAG_TSYNC?"));
  EXPECT_TRUE(problem(one_rule({{"tee"}, "SCMP_ACT_KILL", 5, {}})).contains("takes no errnoRet"));
  EXPECT_TRUE(
      problem(one_rule({{"tee"}, "SCMP_ACT_ERRNO", 1, {{6, 0, 0, "SCMP_CMP_EQ"}}})).contains("6"));
  EXPECT_TRUE(problem(one_rule({{"tee"}, "SCMP_ACT_ERRNO", 1, {{0, 0, 0, "SCMP_CMP_EG"}}}))
                  .contains("did you mean SCMP_CMP_EQ?"));
}

TEST(Seccomp, ProfilesSurviveBeingWrittenAndRead) {
  const Seccomp profile = default_seccomp(default_capabilities());
  const Result<Seccomp> back = from_value<Seccomp>(to_value(profile));
  ASSERT_TRUE(back);
  EXPECT_EQ(json_text(to_value(*back)), json_text(to_value(profile)));
  EXPECT_FALSE(back->flags);
  EXPECT_EQ(made(*back).program, made(profile).program);
}

}  // namespace
}  // namespace umbel::security
