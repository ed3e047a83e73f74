#include <gtest/gtest.h>
#include <linux/capability.h>

#include "base/text.h"
#include "security/seccomp.h"
#include "sys/file.h"

namespace umbel::security {
namespace {

// Through a memory file's name in /proc, so that nothing is left behind.
Result<Seccomp> read(const std::string& text, CapSet capabilities = 0) {
  const Fd file = TRY(sys::memory_file("profile"));
  TRY(sys::write_all(file, text));
  return read_seccomp("/proc/self/fd/" + std::to_string(file.number()), capabilities);
}

std::string problem(const std::string& text) {
  const Result<Seccomp> profile = read(text);
  if (profile) return "";
  const std::string message = profile.error().message();
  return message.substr(std::min(message.find(": ") + 2, message.size()));
}

std::string rule_names(const Seccomp& profile) {
  std::string all;
  for (const SeccompRule& rule : profile.rules) all += join(rule.names, "+") + " ";
  return all;
}

TEST(ReadSeccomp, TakesTheSpecificationsForm) {
  const Result<Seccomp> profile = read(R"({
    "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
    "architectures": ["SCMP_ARCH_X86_64"], "flags": ["SECCOMP_FILTER_FLAG_LOG"],
    "listenerPath": "/run/l", "listenerMetadata": "m",
    "syscalls": [{"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"},
                 {"names": ["clone"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5,
                  "args": [
                    {"index": 1, "value": 2, "valueTwo": 3, "op": "SCMP_CMP_MASKED_EQ"}]}]})");
  ASSERT_TRUE(profile) << profile.error().message();
  EXPECT_EQ(profile->default_errno, 38U);
  EXPECT_EQ(profile->architectures, std::vector<std::string>{"SCMP_ARCH_X86_64"});
  EXPECT_EQ(profile->flags, std::vector<std::string>{"SECCOMP_FILTER_FLAG_LOG"});
  EXPECT_EQ(profile->listener_path, "/run/l");
  EXPECT_EQ(profile->listener_metadata, "m");
  ASSERT_EQ(profile->rules.size(), 2U);
  EXPECT_EQ(profile->rules[1].errno_value, 5U);
  EXPECT_EQ(profile->rules[1].args.at(0).value_two, 3U);
}

TEST(ReadSeccomp, ResolvesDockersConditions) {
  const std::string text = R"({"defaultAction": "SCMP_ACT_ERRNO",
    "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
                {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]},
                {"architecture": "SCMP_ARCH_RISCV64", "subArchitectures": null}],
    "syscalls": [
      {"names": ["plain"], "action": "SCMP_ACT_ALLOW", "args": null, "comment": "", "includes": {}},
      {"name": "old_form", "action": "SCMP_ACT_ALLOW"},
      {"names": ["with_admin"], "action": "SCMP_ACT_ALLOW",
       "includes": {"caps": ["CAP_SYS_ADMIN"]}},
      {"names": ["with_both"], "action": "SCMP_ACT_ALLOW",
       "includes": {"caps": ["CAP_SYS_ADMIN", "CAP_BPF"]}},
      {"names": ["without_admin"], "action": "SCMP_ACT_ALLOW",
       "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
      {"names": ["without_either"], "action": "SCMP_ACT_ALLOW",
       "excludes": {"caps": ["CAP_SYS_ADMIN", "CAP_BPF"]}},
      {"names": ["with_future"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_MAGIC"]}},
      {"names": ["without_future"], "action": "SCMP_ACT_ALLOW",
       "excludes": {"caps": ["CAP_MAGIC"]}},
      {"names": ["this_machine"], "action": "SCMP_ACT_ALLOW",
       "includes": {"arches": ["amd64", "arm64", "ppc64le", "s390x", "riscv64"]}},
      {"names": ["other_machine"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["vax"]}},
      {"names": ["not_this_machine"], "action": "SCMP_ACT_ALLOW",
       "excludes": {"arches": ["amd64", "arm64", "ppc64le", "s390x", "riscv64"]}},
      {"names": ["since"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
      {"names": ["future"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "999.0"}},
      {"names": ["until"], "action": "SCMP_ACT_ALLOW", "excludes": {"minKernel": "4.8"}}]})";
  const Result<Seccomp> bare = read(text);
  ASSERT_TRUE(bare) << bare.error().message();
  EXPECT_EQ(rule_names(*bare),
            "plain old_form without_admin without_either without_future this_machine since ");
  const Result<Seccomp> admin = read(text, capability(CAP_SYS_ADMIN));
  EXPECT_EQ(rule_names(*admin), "plain old_form with_admin without_future this_machine since ");
  const Result<Seccomp> both = read(text, capability(CAP_SYS_ADMIN) | capability(CAP_BPF));
  EXPECT_EQ(rule_names(*both),
            "plain old_form with_admin with_both without_future this_machine since ");
#ifdef __x86_64__
  EXPECT_EQ(bare->architectures, (std::vector<std::string>{"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"}));
#endif
}

TEST(ReadSeccomp, TakesPodmansErrnosByName) {
  const Result<Seccomp> profile = read(R"({"defaultAction": "SCMP_ACT_ERRNO",
    "defaultErrno": "ENOSYS", "syscalls": [
      {"names": ["a"], "action": "SCMP_ACT_ERRNO", "errno": "EINVAL"},
      {"names": ["b"], "action": "SCMP_ACT_ERRNO", "errno": "EPERM", "errnoRet": 7}]})");
  ASSERT_TRUE(profile) << profile.error().message();
  EXPECT_EQ(profile->default_errno, 38U);
  EXPECT_EQ(profile->rules[0].errno_value, 22U);
  EXPECT_EQ(profile->rules[1].errno_value, 7U);
}

TEST(ReadSeccomp, SaysWhereAFileIsWrong) {
  const std::string begin = R"({"defaultAction": "SCMP_ACT_ALLOW", )";
  EXPECT_EQ(problem("{}"), "defaultAction is missing");
  EXPECT_EQ(problem(begin + R"("syscalls": [{"names": ["a"], "action": 3}]})"),
            "syscalls[0].action: must be a string, not a number");
  EXPECT_EQ(problem(begin + R"("syscalls": [{"names": ["a"], "name": "b", "action": ""}]})"),
            "syscalls[0]: both name and names are given");
  EXPECT_EQ(problem(begin + R"("syscalls": [{"names": [], "action": "", "errno": "EBAD"}]})"),
            "syscalls[0]: 'EBAD' is no errno");
  EXPECT_EQ(problem(begin + R"("syscalls": [{"includes": {"minKernel": "new"}}]})"),
            "syscalls[0]: minKernel 'new' is no version");
  EXPECT_EQ(problem(begin + R"("architectures": ["SCMP_ARCH_X86"], "archMap": [{}]})"),
            "both architectures and archMap are given");
  EXPECT_TRUE(problem("{").contains("line 1"));
  EXPECT_EQ(read_seccomp("/no/such/file", 0).error().message(),
            "the seccomp profile /no/such/file: open /no/such/file: No such file or directory");
}

TEST(ReadSeccomp, ReadsPodmansOwnFile) {
  const char* file = "/usr/share/containers/seccomp.json";
  if (!sys::exists(cwd, file)) GTEST_SKIP() << file << " is not installed";
  const Result<Seccomp> profile = read_seccomp(file, default_capabilities());
  ASSERT_TRUE(profile) << profile.error().message();
  EXPECT_GT(profile->rules.size(), 10U);
  EXPECT_TRUE(compile(*profile, ""));
}

}  // namespace
}  // namespace umbel::security
