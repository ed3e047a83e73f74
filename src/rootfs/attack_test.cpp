// What hostile root file systems and volumes try at the moment a container is made. Each test names
// the flaw of another runtime that it is about.
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "rootfs/box.h"
#include "rootfs/rootfs.h"

namespace umbel::rootfs::testing {
namespace {

// Every path with its type, owner, mode, time and size.
std::string fingerprint(const std::string& path) {
  const Result<struct stat> s = sys::status_at(cwd, path);
  if (!s) return path + " is gone\n";
  std::string text = path + " " + std::to_string(s->st_mode) + " " + std::to_string(s->st_uid) +
                     " " + std::to_string(s->st_size) + " " + std::to_string(s->st_mtim.tv_sec) +
                     "." + std::to_string(s->st_mtim.tv_nsec) + "\n";
  if (!S_ISDIR(s->st_mode)) return text;
  Result<std::vector<std::string>> inside = sys::list(cwd, path);
  if (!inside) return text;
  std::ranges::sort(*inside);
  for (const std::string& name : *inside) text += fingerprint(path + "/" + name);
  return text;
}

class Attack : public ::testing::Test {
 protected:
  void SetUp() override {
    UMBEL_SKIP_WITHOUT_MOUNTS();
    root_ = outer_.directory("root");
    outer_.file("host/secret", "the host's");
    outer_.directory("host/empty");
    mounts_ = host_mounts();
    host_ = fingerprint(outer_ / "host");
    top_ = names("/");
  }
  void TearDown() override {
    if (mounts_.empty()) return;
    EXPECT_EQ(host_mounts(), mounts_);
    EXPECT_EQ(fingerprint(outer_ / "host"), host_);
    EXPECT_EQ(names("/"), top_);
  }
  Spec spec() const {
    Spec made{.root = {.path = root_}};
    made.mounts = default_mounts(std::uint64_t{64} << 20);
    made.devices = default_devices();
    made.masked = default_masked();
    made.read_only = default_read_only();
    return made;
  }
  void link(const std::string& target, const std::string& name) const {
    ASSERT_EQ(::symlink(target.c_str(), (root_ + "/" + name).c_str()), 0);
  }
  Folder outer_;
  std::string root_, mounts_, host_, top_;
};

// CVE-2021-30465 and what came before it: a destination that is a link out of the root.
TEST_F(Attack, LinksLeadNowhereButInside) {
  outer_.directory("root/inside");
  link("/../../../../../../.." + (outer_ / "host"), "absolute");
  link("../../../../../../../.." + (outer_ / "host"), "relative");
  link("/", "top");
  link("/inside", "fine");
  Spec asked = spec();
  for (const char* destination : {"/absolute/new", "/relative/new", "/top/new", "/fine/new"})
    asked.mounts.push_back({destination, "tmpfs", "x", {}, {}, {}});
  const std::string seen = in_box({.spec = asked}, [&](const Built&) {
    return mount_at(outer_ / "host/new") + " " + mount_at("/new") + " " + mount_at("/inside/new");
  });
  EXPECT_EQ(seen, "tmpfs rw,relatime tmpfs rw,relatime tmpfs rw,relatime");
}

TEST_F(Attack, LinkThatLeadsNowhereIsMadeInside) {
  link("/run/far/away", "var");
  link("loop", "loop");
  Spec asked = spec();
  asked.mounts.push_back({"/var/lib", "tmpfs", "x", {}, {}, {}});
  EXPECT_EQ(in_box({.spec = asked}, [](const Built&) { return mount_at("/run/far/away/lib"); }),
            "tmpfs rw,relatime");
  asked.mounts.push_back({"/loop/x", "tmpfs", "x", {}, {}, {}});
  EXPECT_EQ(in_box({.spec = asked}, [](const Built&) { return std::string(); }),
            "error: mounting /loop/x: openat2 /loop/x: Too many levels of symbolic links");
}

// CVE-2019-19921, CVE-2023-27561, CVE-2023-28642: /proc or /sys of the root is a link, so that the
// real one is mounted elsewhere and its protections land on a fake.
TEST_F(Attack, ProcAndSysMustBeWhatTheySay) {
  outer_.directory("root/fake");
  for (const char* name : {"proc", "sys"}) {
    link("fake", name);
    const std::string seen = in_box({.spec = spec()}, [](const Built&) { return std::string(); });
    EXPECT_TRUE(seen.starts_with("error: mounting /" + std::string(name)) &&
                seen.find("must be no symbolic link") != std::string::npos)
        << seen;
    ASSERT_EQ(::unlink((root_ + "/" + name).c_str()), 0);
  }
}

TEST_F(Attack, VolumeOverProcIsRefused) {
  Spec asked = spec();
  asked.mounts.push_back({"/proc", "bind", outer_ / "host", {"bind"}, {}, {}});
  const std::string seen = in_box({.spec = asked}, [](const Built&) { return std::string(); });
  EXPECT_TRUE(seen.starts_with("error: /proc is covered by another file system")) << seen;
}

// CVE-2025-52881: what is mounted onto a process's own files under /proc turns the runtime's writes
// elsewhere.
TEST_F(Attack, NothingIsMountedOntoProcessesFiles) {
  link("/proc/self/attr", "innocent");
  Spec asked = spec();
  asked.mounts.push_back({"/innocent/exec", "bind", outer_ / "host/secret", {"bind"}, {}, {}});
  EXPECT_EQ(in_box({.spec = asked}, [](const Built&) { return std::string(); })
                .find("error: mounting /innocent/exec: /innocent/exec leads into /proc or /sys"),
            0U);
  asked.mounts.back().destination = "/proc/self/attr/exec";
  EXPECT_NE(in_box({.spec = asked}, [](const Built&) { return std::string(); })
                .find("must be no symbolic link"),
            std::string::npos);
  asked.mounts.back().destination = "/proc/uptime";  // as lxcfs does
  EXPECT_EQ(in_box({.spec = asked}, [](const Built&) { return content("/proc/uptime"); }),
            "the host's");
}

// CVE-2024-45310: missing files and directories made outside by way of a link.
TEST_F(Attack, NothingIsMadeOutside) {
  link(outer_ / "host", "out");
  Spec asked = spec();
  asked.mounts.push_back({"/out/a/b", "bind", outer_ / "host/secret", {"bind"}, {}, {}});
  asked.devices.push_back({.path = "/out/device", .major = 1, .minor = 3});
  const std::string seen = in_box({.spec = asked}, [&](const Built&) {
    return content((outer_ / "host") + "/a/b") + " " + write_to((outer_ / "host") + "/device", "");
  });
  EXPECT_EQ(seen, "the host's written");
}

// CVE-2025-31133: /dev/null of the root is something else, and would be what masks.
TEST_F(Attack, MasksUseTheRealNull) {
  outer_.directory("root/dev");
  outer_.file("root/etc/passwd", "mine");
  link("/etc/passwd", "dev/null");
  Spec asked = spec();
  std::erase_if(asked.mounts, [](const Mount& m) { return m.destination.starts_with("/dev"); });
  asked.devices.clear();
  const std::string seen = in_box({.spec = asked}, [](const Built&) {
    const auto covered = sys::status(*sys::open(cwd, "/proc/keys", O_PATH));
    return "[" + content("/proc/keys") + "]" + std::to_string(major(covered->st_rdev)) + ":" +
           std::to_string(minor(covered->st_rdev));
  });
  EXPECT_EQ(seen, "[]1:3");
}

TEST_F(Attack, DeviceNamesThatAreTakenAreCoveredOrRefused) {
  outer_.file("root/dev/zero", "not zero");
  link("/etc/passwd", "dev/null");
  Spec asked = spec();
  std::erase_if(asked.mounts, [](const Mount& m) { return m.destination.starts_with("/dev"); });
  asked.devices = {{.path = "/dev/zero", .major = 1, .minor = 5}};
  EXPECT_EQ(in_box({.spec = asked},
                   [](const Built&) {
                     const auto zero = sys::status_at(cwd, "/dev/zero");
                     return std::string(S_ISCHR(zero->st_mode) ? "device" : "file");
                   }),
            "device");
  asked.devices = {{.path = "/dev/null", .major = 1, .minor = 3}};
  const std::string seen = in_box({.spec = asked}, [](const Built&) { return std::string(); });
  EXPECT_TRUE(seen.starts_with("error: making the device /dev/null")) << seen;
}

// CVE-2025-52565: the terminal's path is turned into a link before it is bound to /dev/console.
TEST_F(Attack, ConsoleIsATerminalOrNothing) {
  outer_.file("root/secret", "x");
  const std::string seen = in_box({.spec = spec()}, [](const Built& built) {
    std::string text;
    if (::symlink("/secret", "/dev/tty7") != 0) return std::string("no link");
    for (const char* path : {"/dev/tty7", "/secret", "/proc/keys", "/dev/zero"})
      text += bind_console(built.root, path) ? "taken " : "refused ";
    return text;
  });
  EXPECT_EQ(seen, "refused refused refused refused ");
}

// Somebody with access to a shared volume swaps a directory in it for a link again and again, while
// containers that mount something below it are made.
TEST_F(Attack, RenamingRaceStaysInside) {
  outer_.directory("root/volume/place");
  ASSERT_EQ(::symlink((outer_ / "host").c_str(), (root_ + "/volume/link").c_str()), 0);
  const std::string place = root_ + "/volume/place", link_name = root_ + "/volume/link";
  // No thread: a process is born of this one again and again, and must not find its locks taken.
  const Result<sys::Process> swapper = sys::start({}, [&] {
    for (;;)
      (void)::renameat2(AT_FDCWD, place.c_str(), AT_FDCWD, link_name.c_str(), 2 /* exchange */);
    return 0;
  });
  ASSERT_TRUE(swapper);
  Spec asked = spec();
  asked.mounts.push_back({"/volume/place/empty", "tmpfs", "x", {}, {}, {}});
  asked.mounts.push_back(
      {"/volume/place/new/deep", "bind", outer_ / "host/secret", {"bind"}, {}, {}});
  int made = 0;
  for (int i = 0; i < 40; ++i) {
    const std::string seen = in_box({.spec = asked}, [](const Built&) {
      return write_to("/volume/place/empty/x", "x") == "written" ? std::string("made") : "covered";
    });
    if (!seen.starts_with("error")) ++made;
  }
  EXPECT_GT(made, 0);
}

TEST_F(Attack, FailureLeavesNothing) {
  Spec asked = spec();
  asked.mounts.push_back({"/x", "tmpfs", "x", {"nonsense"}, {}, {}});
  EXPECT_TRUE(in_box({.spec = asked}, [](const Built&) {
                return std::string();
              }).starts_with("error: mounting /x"));
}

}  // namespace
}  // namespace umbel::rootfs::testing
