#include "security/credentials.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/keyctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/record.h"
#include "base/text.h"
#include "security/in_child.h"
#include "sys/credentials.h"
#include "sys/file.h"
#include "sys/namespace.h"
#include "sys/procfs.h"

namespace umbel::security {
namespace {

bool is_root() { return ::geteuid() == 0; }

// The line of /proc/self/status that begins so, its blanks made single.
std::string status(std::string_view field) {
  const std::string text = sys::read_file(cwd, "/proc/self/status").value_or("");
  for (const std::string_view line : split(text, '\n')) {
    if (!line.starts_with(field)) continue;
    std::vector<std::string> parts;
    for (const std::string_view word : words(line)) parts.emplace_back(word);
    return join(parts, " ");
  }
  return "";
}

// What the error of `result` is, said by a child through its exit status.
int code_of(const Result<void>& result) { return result ? 0 : result.error().code; }

TEST(Become, ChangesEverythingAboutTheUser) {
  if (!is_root()) GTEST_SKIP() << "needs to be root";
  EXPECT_EQ(in_child([] {
              if (!become({.uid = 1234, .gid = 5678, .groups = {7, 9}, .umask = 027})) return 255;
              if (status("Uid") != "Uid: 1234 1234 1234 1234") return 1;
              if (status("Gid") != "Gid: 5678 5678 5678 5678") return 2;
              if (status("Groups") != "Groups: 7 9") return 3;
              if (status("Umask") != "Umask: 0027") return 4;
              return ::setuid(0) == 0 ? 5 : 0;
            }),
            0);
  EXPECT_EQ(in_child([] {
              if (!become({.uid = 1234, .gid = 5678})) return 255;
              if (status("Groups") != "Groups:") return 1;
              return status("Umask") == "Umask: 0022" ? 0 : 2;
            }),
            0);
}

TEST(Become, KeepsNoGroupSilently) {
  if (!is_root()) GTEST_SKIP() << "needs to be root";
  EXPECT_EQ(in_child([] {
              if (!become({.uid = 1234, .gid = 1234, .groups = {7}})) return 255;
              // Without CAP_SETGID group 7 can't be left, and must not stay unnoticed.
              const Result<void> again = become({.uid = 1234, .gid = 1234});
              return code_of(again) == EPERM && again.error().cure == "this needs CAP_SETGID" ? 0
                                                                                              : 1;
            }),
            0);
}

TEST(Become, SaysWhatAUserNamespaceLacks) {
  const int code = in_child([] {
    const std::string uid = std::to_string(::geteuid()), gid = std::to_string(::getegid());
    if (!sys::unshare(CLONE_NEWUSER)) return 99;
    if (!sys::write_file(cwd, "/proc/self/setgroups", "deny")) return 98;
    if (!sys::write_file(cwd, "/proc/self/uid_map", "0 " + uid + " 1")) return 97;
    if (!sys::write_file(cwd, "/proc/self/gid_map", "0 " + gid + " 1")) return 96;
    const Result<void> unmapped = become({.uid = 1000, .gid = 0});
    if (code_of(unmapped) != EINVAL || !unmapped.error().cure.contains("does not map")) return 1;
    if (!unmapped.error().detail.contains("becoming user 1000")) return 2;
    const Result<void> groups = become({.groups = {0, 5}});
    if (groups) return 3;
    return become({}) ? 0 : 4;
  });
  if (code == 99) GTEST_SKIP() << "no user namespace can be made here";
  EXPECT_EQ(code, 0);
}

TEST(Privileges, AreForbiddenForGood) {
  EXPECT_EQ(in_child([] {
              if (!forbid_new_privileges()) return 255;
              return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 1;
            }),
            0);
}

TEST(SessionKeyring, IsANewOne) {
  const int code = in_child([] {
    const long before = ::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
    const Result<std::int32_t> first = new_session_keyring();
    if (!first) return first.error().code == ENOSYS ? 99 : 255;
    if (*first == before) return 1;
    const long now = ::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
    return now == *first ? 0 : 2;
  });
  if (code == 99) GTEST_SKIP() << "this kernel has no keyrings";
  EXPECT_EQ(code, 0);
}

TEST(OomScore, IsSet) {
  EXPECT_EQ(in_child([] {
              if (!set_oom_score(1000)) return 255;
              const Result<std::string> score = sys::read_file(cwd, "/proc/self/oom_score_adj");
              return score && *score == "1000\n" ? 0 : 1;
            }),
            0);
  EXPECT_EQ(set_oom_score(1001).error().cure,
            "choose from -1000 (never killed) to 1000 (killed first)");
  EXPECT_EQ(in_child([] {
              (void)become({.uid = 1234, .gid = 1234});
              const Result<void> lowered = set_oom_score(-1000);
              return code_of(lowered) == EACCES &&
                             lowered.error().cure == "lowering it needs CAP_SYS_RESOURCE"
                         ? 0
                         : 1;
            }),
            0);
}

// In a mount namespace of its own, so that what is mounted over /proc is gone with the child.
int with_own_mounts(auto body) {
  return in_child([&] {
    if (!sys::unshare(CLONE_NEWNS) ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      return 99;
    return body();
  });
}

// An image or a mount of the container's could lead the write to a harmless file, and the label
// would be missing without a word (CVE-2019-16884).
TEST(Procfs, AFileThatIsNotTheKernelsOwnIsRefused) {
  const int code = with_own_mounts([] {
    if (::mount("/dev/null", "/proc/self/oom_score_adj", nullptr, MS_BIND, nullptr) != 0) return 98;
    const Result<void> set = set_oom_score(500);
    return code_of(set) == EXDEV ? 0 : 1;
  });
  if (code == 99) GTEST_SKIP() << "no mount namespace can be made here";
  EXPECT_EQ(code, 0);
}

TEST(Procfs, AnotherFileSystemAtProcIsRefused) {
  const int code = with_own_mounts([] {
    if (::mount("none", "/proc", "tmpfs", 0, nullptr) != 0) return 98;
    if (::mkdir("/proc/self", 0755) != 0) return 97;
    if (!sys::open(cwd, "/proc/self/oom_score_adj", O_WRONLY | O_CREAT, 0644)) return 96;
    const Result<void> set = set_oom_score(500);
    return !set && set.error().detail.contains("not the top of a proc file system") ? 0 : 1;
  });
  if (code == 99) GTEST_SKIP() << "no mount namespace can be made here";
  EXPECT_EQ(code, 0);
}

TEST(Procfs, APartOfItIsRefused) {
  const int code = with_own_mounts([] {
    if (::mount("/proc/1", "/mnt", nullptr, MS_BIND, nullptr) != 0) return 98;
    return sys::open_procfs("/mnt") ? 1 : 0;
  });
  if (code == 99) GTEST_SKIP() << "no mount namespace can be made here";
  EXPECT_EQ(code, 0);
}

// The host's procfs, opened before, serves where the container has none, also in a grandchild.
TEST(Procfs, OneOpenedEarlierServes) {
  const int code = with_own_mounts([] {
    const Result<Fd> procfs = sys::open_procfs();
    if (!procfs || ::umount2("/proc", MNT_DETACH) != 0) return 98;
    if (set_oom_score(600)) return 1;
    return in_child([&] {
      if (!set_oom_score(600, *procfs)) return 2;
      const Result<Fd> file = sys::open_in_procfs(*procfs, "self/oom_score_adj", O_RDONLY);
      return file && *sys::read_all(*file) == "600\n" ? 0 : 3;
    });
  });
  if (code == 99) GTEST_SKIP() << "no mount namespace can be made here";
  EXPECT_EQ(code, 0);
}

TEST(Labels, AModuleThatThisKernelLacksIsNamed) {
  const Result<std::string> filesystems = sys::read_file(cwd, "/proc/filesystems");
  ASSERT_TRUE(filesystems);
  if (!filesystems->contains("selinuxfs")) {
    EXPECT_EQ(set_selinux_label("a:b:c:s0").error().message(),
              "the SELinux label a:b:c:s0: this kernel has no SELinux, or it is not in force");
  }
  if (!sys::exists(cwd, "/proc/self/attr/apparmor")) {
    const Result<void> set = set_apparmor_profile("docker-default");
    EXPECT_EQ(set.error().message(),
              "the AppArmor profile docker-default: this kernel has no AppArmor");
    EXPECT_EQ(set.error().cure, "leave the profile out");
  }
}

TEST(Labels, AppArmorConfinesTheNextProgram) {
  if (!sys::exists(cwd, "/proc/self/attr/apparmor")) GTEST_SKIP() << "this kernel has no AppArmor";
  EXPECT_EQ(in_child([] {
              if (!set_apparmor_profile("unconfined")) return 255;
              const std::vector<std::string> args{"grep", "-q", "^unconfined",
                                                  "/proc/self/attr/apparmor/current"};
              (void)sys::execute("/bin/grep", args, std::vector<std::string>{});
              return 254;
            }),
            0);
}

TEST(Labels, SelinuxLabelsTheNextProgram) {
  const Result<std::string> filesystems = sys::read_file(cwd, "/proc/filesystems");
  if (!filesystems || !filesystems->contains("selinuxfs"))
    GTEST_SKIP() << "this kernel has no SELinux";
  EXPECT_FALSE(set_selinux_label("no such label"));
}

TEST(User, SurvivesBeingWrittenAndRead) {
  const User user{.uid = 1, .gid = 2, .groups = {3, 4}, .umask = 077};
  EXPECT_EQ(*from_value<User>(to_value(user)), user);
  EXPECT_EQ(*from_value<User>(to_value(User{})), User{});
}

}  // namespace
}  // namespace umbel::security
