// What a process inside sees, of a root directory that has nothing in it but what each test puts
// there.
#include "rootfs/rootfs.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "rootfs/box.h"
#include "sys/inode.h"

namespace umbel::rootfs::testing {
namespace {

Spec ordinary(const Folder& root) {
  Spec spec{.root = {.path = root.path()}};
  spec.mounts = default_mounts(std::uint64_t{64} << 20);
  spec.devices = default_devices();
  spec.masked = default_masked();
  spec.read_only = default_read_only();
  return spec;
}

class Rootfs : public ::testing::Test {
 protected:
  void SetUp() override {
    UMBEL_SKIP_WITHOUT_MOUNTS();
    before_ = host_mounts();
  }
  // Whatever a test did, the host's mount table is as it was.
  void TearDown() override { EXPECT_EQ(before_.empty() ? "" : host_mounts(), before_); }
  Folder root_;
  std::string before_;
};

TEST_F(Rootfs, DefaultMountsAreThere) {
  const std::string seen = in_box({.spec = ordinary(root_)}, [](const Built&) {
    std::string text;
    for (const char* path : {"/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys"})
      text += std::string(path) + " " + mount_at(path) + "\n";
    return text + "/ " + names("/");
  });
  EXPECT_EQ(seen,
            "/proc proc rw,nosuid,nodev,noexec,relatime\n"
            "/dev tmpfs rw,nosuid\n"
            "/dev/pts devpts rw,nosuid,noexec,relatime\n"
            "/dev/shm tmpfs rw,nosuid,nodev,noexec,relatime\n"
            "/dev/mqueue mqueue rw,nosuid,nodev,noexec,relatime\n"
            "/sys sysfs ro,nosuid,nodev,noexec,relatime\n"
            "/ dev proc sys");
}

TEST_F(Rootfs, NothingOfTheHostIsLeft) {
  root_.file("marker", "mine");
  // The last part of its path: /tmp may be a file system of its own.
  const std::string own = root_.path().substr(root_.path().rfind('/'));
  const std::string seen = in_box({.spec = ordinary(root_)}, [&](const Built& built) {
    const auto mounts = proc::parse_mounts(content("/proc/self/mountinfo"));
    std::string text = content("/marker") + " " + content("/proc/self/root/marker");
    if (!mounts) return text;
    for (const proc::Mount& mount : *mounts)
      if (mount.point == "/") text += mount.root.ends_with(own) ? " own" : " " + mount.root;
    const auto a = sys::identity(built.root);
    const auto b = sys::identity(*sys::open(cwd, "/..", O_PATH));
    return text + (a && b && *a == *b ? " same" : " different");
  });
  EXPECT_EQ(seen, "mine mine own same");
}

TEST_F(Rootfs, UserNamespacesCanBeMadeInside) {
  const std::string seen = in_box({.spec = ordinary(root_)}, [](const Built&) {
    const Result<void> made = sys::unshare(CLONE_NEWUSER | CLONE_NEWNS);
    return made ? std::string("made") : told(made.error());
  });
  EXPECT_EQ(seen, "made");
}

TEST_F(Rootfs, DevicesWork) {
  const std::string seen = in_box({.spec = ordinary(root_)}, [](const Built&) {
    std::string text = write_to("/dev/null", "x");
    text += " " + std::string(write_to("/dev/full", "x"));
    const Result<Fd> zero = sys::open(cwd, "/dev/zero", O_RDONLY);
    std::array<char, 4> bytes{1, 1, 1, 1};
    if (zero && sys::read(*zero, bytes))
      text += bytes == std::array<char, 4>{} ? " zero" : " other";
    const auto status = sys::status_at(cwd, "/dev/urandom");
    text += " " + std::to_string(status ? status->st_mode & 07777 : 0);
    for (const char* link : {"fd", "stdin", "stdout", "stderr", "ptmx"})
      text += " " + sys::readlink(cwd, std::string("/dev/") + link).value_or("?");
    return text;
  });
  EXPECT_EQ(seen, "written not written zero " + std::to_string(0666) +
                      " /proc/self/fd /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 pts/ptmx");
}

TEST_F(Rootfs, DeviceOwnerModeAndPlace) {
  Spec spec = ordinary(root_);
  spec.devices.push_back(
      {.path = "/dev/net/tun", .major = 10, .minor = 200, .mode = 0640, .uid = 7, .gid = 8});
  spec.devices.push_back({.path = "/run/pipe", .type = "p", .mode = 0622});
  const std::string seen = in_box({.spec = spec}, [](const Built&) {
    const auto tun = sys::status_at(cwd, "/dev/net/tun"), pipe = sys::status_at(cwd, "/run/pipe");
    if (!tun || !pipe) return std::string("missing");
    return std::to_string(major(tun->st_rdev)) + ":" + std::to_string(minor(tun->st_rdev)) + " " +
           std::to_string(tun->st_uid) + ":" + std::to_string(tun->st_gid) + " " +
           std::to_string(tun->st_mode & 07777) +
           (S_ISFIFO(pipe->st_mode) ? " pipe " : " no pipe ") +
           std::to_string(pipe->st_mode & 07777);
  });
  EXPECT_EQ(seen, "10:200 7:8 " + std::to_string(0640) + " pipe " + std::to_string(0622));
}

TEST_F(Rootfs, MaskedPathsShowNothing) {
  const std::string seen = in_box({.spec = ordinary(root_)}, [](const Built&) {
    std::string text = "[" + content("/proc/keys") + "][" + names("/sys/firmware") + "][";
    text += content("/proc/timer_list") + "] ";
    text += mount_at("/sys/firmware");
    const Result<void> made = sys::make_directory(cwd, "/sys/firmware/x", 0755);
    return text + " " + (made ? "made" : ::strerrorname_np(made.error().code));
  });
  EXPECT_EQ(seen, "[][][] tmpfs ro,nosuid,nodev,noexec,relatime EROFS");
}

TEST_F(Rootfs, ReadOnlyPathsStaySo) {
  const std::string seen = in_box({.spec = ordinary(root_)}, [](const Built&) {
    return write_to("/proc/sys/kernel/hostname", "x") + " " + content("/proc/sys/kernel/ostype") +
           mount_at("/proc/irq");
  });
  EXPECT_EQ(seen, "EROFS Linux\nproc ro,nosuid,nodev,noexec,relatime");
}

TEST_F(Rootfs, ReadOnlyRootKeepsItsMountsWritable) {
  Spec spec = ordinary(root_);
  spec.root.read_only = true;
  spec.mounts.push_back({.destination = "/data", .type = "tmpfs", .source = "data"});
  const std::string seen = in_box({.spec = spec}, [](const Built&) {
    return write_to("/x", "x") + " " + write_to("/data/x", "x");
  });
  EXPECT_EQ(seen, "EROFS written");
}

TEST_F(Rootfs, BindsAreMadeInTheirSourcesShape) {
  const Folder host;
  host.file("directory/file", "from a directory");
  Spec spec = ordinary(root_);
  spec.mounts.push_back({"/new/place", "bind", host / "directory", {"rbind", "ro"}, {}, {}});
  spec.mounts.push_back(
      {"/etc/new/file", "bind", host / "directory/file", {"bind", "rprivate"}, {}, {}});
  const std::string seen = in_box({.spec = spec}, [](const Built&) {
    const std::string read = content("/new/place/file") + "|" + content("/etc/new/file");
    return read + "|" + write_to("/new/place/file", "x") + "|" + write_to("/etc/new/file", "From");
  });
  EXPECT_EQ(seen, "from a directory|from a directory|EROFS|written");
  EXPECT_EQ(content(host / "directory/file"), "From a directory");
}

TEST_F(Rootfs, OnlyRecursiveReadOnlyReachesMountsBelow) {
  const Folder host;
  host.directory("tree/sub");
  Spec spec = ordinary(root_);
  spec.mounts.push_back({"/a", "bind", host / "tree", {"rbind", "ro"}, {}, {}});
  spec.mounts.push_back({"/b", "bind", host / "tree", {"rbind", "rro"}, {}, {}});
  spec.mounts.push_back({"/c", "bind", host / "tree", {"bind"}, {}, {}});
  const int outcome = in_private_namespace([&] {
    auto made = sys::FileSystem::open("tmpfs");
    const Fd mount = *made->mount();
    ASSERT_TRUE(sys::attach_at(mount, cwd, host / "tree/sub"));
    host.file("tree/sub/inner", "x");
    const std::string seen = in_box({.spec = spec}, [](const Built&) {
      return write_to("/a/x", "") + write_to("/a/sub/x", "") + " " + write_to("/b/x", "") +
             write_to("/b/sub/x", "") + " " + names("/c/sub");
    });
    EXPECT_EQ(seen, "EROFSwritten EROFSEROFS ");
  });
  EXPECT_EQ(outcome, 0);
}

TEST_F(Rootfs, TmpfsStartsWithWhatWasThere) {
  root_.file("data/below/file", "old");
  ASSERT_EQ(::symlink("/etc/shadow", (root_ / "data/link").c_str()), 0);
  ASSERT_EQ(::chmod((root_ / "data").c_str(), 01770), 0);
  ASSERT_EQ(::chown((root_ / "data/below/file").c_str(), 12, 34), 0);
  Spec spec = ordinary(root_);
  spec.mounts.push_back({"/data", "tmpfs", "tmpfs", {"tmpcopyup"}, {}, {}});
  const std::string seen = in_box({.spec = spec}, [](const Built&) {
    const auto top = sys::status_at(cwd, "/data"), file = sys::status_at(cwd, "/data/below/file");
    std::string text = content("/data/below/file") + " " + std::to_string(top->st_mode & 07777) +
                       " " + std::to_string(file->st_uid) + ":" + std::to_string(file->st_gid) +
                       " " + sys::readlink(cwd, "/data/link").value_or("?");
    text += " " + write_to("/data/below/file", "new");
    return text + content("/data/below/file");
  });
  EXPECT_EQ(seen, "old " + std::to_string(01770) + " 12:34 /etc/shadow writtennew");
  EXPECT_EQ(content(root_ / "data/below/file"), "old");
}

TEST_F(Rootfs, IdMappedBind) {
  const Folder host;
  host.file("file", "x");
  ASSERT_EQ(::chown((host / "file").c_str(), 1000, 1000), 0);
  Spec spec = ordinary(root_);
  spec.mounts.push_back({.destination = "/mapped",
                         .type = "bind",
                         .source = host.path(),
                         .options = {"rbind", "idmap"},
                         .uid_mappings = {{0, 0, 1}, {1000, 5000, 1}},
                         .gid_mappings = {{0, 0, 1}, {1000, 6000, 1}}});
  const std::string seen = in_box({.spec = spec}, [](const Built&) {
    const auto file = sys::status_at(cwd, "/mapped/file");
    return std::to_string(file->st_uid) + ":" + std::to_string(file->st_gid);
  });
  EXPECT_EQ(seen, "5000:6000");
}

TEST_F(Rootfs, IdMapWithoutMappingsUsesTheContainersOwn) {
  const Folder host;
  host.file("file", "x");
  Spec spec = ordinary(root_);
  ASSERT_EQ(::chown(root_.path().c_str(), 100000, 100000), 0);
  spec.mounts.push_back({"/mapped", "bind", host.path(), {"bind", "idmap"}, {}, {}});
  spec.mounts.push_back({"/plain", "bind", host.path(), {"bind"}, {}, {}});
  const Box box{.spec = spec, .flags = all_but_user | CLONE_NEWUSER};
  const std::string seen = in_box(box, [](const Built&) {
    const auto mapped = sys::status_at(cwd, "/mapped/file");
    const auto plain = sys::status_at(cwd, "/plain/file");
    return std::to_string(mapped->st_uid) + " " + std::to_string(plain->st_uid);
  });
  EXPECT_EQ(seen, "0 65534");
}

TEST_F(Rootfs, CgroupsShowTheContainersPart) {
  const std::string seen = in_box({.spec = ordinary(root_)}, [](const Built&) {
    return mount_at("/sys/fs/cgroup") + "|" + names("/sys/fs/cgroup") + "|" +
           mount_at("/sys/fs/cgroup/pids") + "|" + write_to("/sys/fs/cgroup/x", "");
  });
  const auto host = sys::file_system(*sys::open(cwd, "/sys/fs/cgroup", O_PATH));
  if (host->f_type == 0x63677270) {
    EXPECT_TRUE(seen.starts_with("cgroup2 ro,")) << seen;
  } else {
    EXPECT_TRUE(seen.starts_with("tmpfs ro,nosuid,nodev,noexec")) << seen;
    EXPECT_NE(seen.find("|cgroup ro,nosuid,nodev,noexec"), std::string::npos) << seen;
    EXPECT_TRUE(seen.ends_with("|EROFS")) << seen;
  }
}

TEST_F(Rootfs, CgroupsAreBoundWithoutANamespace) {
  const Box box{.spec = ordinary(root_), .flags = all_but_user & ~std::uint64_t{CLONE_NEWCGROUP}};
  const std::string seen = in_box(box, [](const Built&) {
    return std::string(
        content("/sys/fs/cgroup/pids/cgroup.procs").starts_with("error") ? "nothing" : "something");
  });
  const bool v1 = sys::exists(cwd, "/sys/fs/cgroup/pids");
  if (!v1) GTEST_SKIP() << "no v1 hierarchies here";
  EXPECT_EQ(seen, "something");
}

TEST_F(Rootfs, PropagationOfTheRoot) {
  const auto group = [](const Built&) {
    const auto mounts = proc::parse_mounts(content("/proc/self/mountinfo"));
    for (const proc::Mount& m : *mounts)
      if (m.point == "/")
        return std::string(m.shared != 0 ? "shared" : m.unbindable ? "unbindable" : "private");
    return std::string("none");
  };
  for (const char* word : {"private", "shared", "unbindable"}) {
    Spec spec = ordinary(root_);
    spec.root.propagation = word;
    EXPECT_EQ(in_box({.spec = spec}, group), word);
  }
}

// A bind marked rslave goes on receiving what the host mounts below it, also while it runs; with
// rprivate it does not. What the container mounts never reaches the host.
TEST_F(Rootfs, PropagationOfABind) {
  const Folder host;
  host.directory("volume/late");
  Spec spec = ordinary(root_);
  spec.mounts.push_back({"/slave", "bind", host / "volume", {"rbind", "rslave"}, {}, {}});
  spec.mounts.push_back({"/private", "bind", host / "volume", {"rbind", "rprivate"}, {}, {}});
  const int outcome = in_private_namespace([&] {
    auto outer = sys::FileSystem::open("tmpfs");
    const Fd volume = *outer->mount();
    ASSERT_TRUE(sys::attach_at(volume, cwd, host / "volume"));
    ASSERT_TRUE(sys::set_attributes(volume, sys::Depth::one, {.propagation = MS_SHARED}));
    host.directory("volume/late");
    const std::string seen = in_box({.spec = spec}, [&](const Built&) {
      const auto mounts = proc::parse_mounts(content("/proc/self/mountinfo"));
      std::string text;
      for (const proc::Mount& m : *mounts)
        if (m.point == "/slave" || m.point == "/private")
          text += m.point + (m.master != 0 ? " slave " : m.shared != 0 ? " shared " : " alone ");
      return text;
    });
    EXPECT_EQ(seen, "/slave slave /private alone ");
  });
  EXPECT_EQ(outcome, 0);
}

TEST_F(Rootfs, UserNamespace) {
  const Box box{.spec = ordinary(root_), .flags = all_but_user | CLONE_NEWUSER};
  ASSERT_EQ(::chown(root_.path().c_str(), 100000, 100000), 0);
  const std::string seen = in_box(box, [](const Built&) {
    return mount_at("/proc") + "|" + write_to("/dev/null", "x") + "|" + names("/dev") + "|[" +
           content("/proc/keys") + "]|" + write_to("/proc/sys/net/ipv4/ip_forward", "1");
  });
  EXPECT_EQ(seen,
            "proc rw,nosuid,nodev,noexec,relatime|written|" +
                std::string(sys::exists(cwd, "/proc/kcore") ? "core " : "") +
                "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero|[]|"
                "EROFS");
}

// A host's mount that is read-only must not become writable by a container's root.
TEST_F(Rootfs, HostsReadOnlyIsLockedInAUserNamespace) {
  const Folder host;
  host.directory("volume");
  Spec spec = ordinary(root_);
  ASSERT_EQ(::chown(root_.path().c_str(), 100000, 100000), 0);
  spec.mounts.push_back({"/data", "bind", host / "volume", {"bind", "rw"}, {}, {}});
  const Box box{.spec = spec, .flags = all_but_user | CLONE_NEWUSER};
  const int outcome = in_private_namespace([&] {
    auto made = sys::FileSystem::open("tmpfs");
    ASSERT_TRUE(made->set("mode", "777"));
    const Fd volume = *made->mount(MOUNT_ATTR_RDONLY);
    ASSERT_TRUE(sys::attach_at(volume, cwd, host / "volume"));
    const std::string seen = in_box(box, [](const Built& built) {
      const Result<void> lifted =
          sys::set_attributes_at(cwd, "/data", sys::Depth::one, {.clear = MOUNT_ATTR_RDONLY});
      return write_to("/data/x", "") + " " + (lifted ? "lifted" : "locked") + " " +
             (built.notes.empty() ? "" : built.notes.front());
    });
    EXPECT_EQ(seen,
              "EROFS locked /data: options of the host's mount, such as ro, could not be lifted");
  });
  EXPECT_EQ(outcome, 0);
}

TEST_F(Rootfs, HostsProcIsBoundWhereItsNamespaceIs) {
  Box box{.spec = ordinary(root_),
          .flags = (all_but_user | CLONE_NEWUSER) & ~std::uint64_t{CLONE_NEWPID}};
  ASSERT_EQ(::chown(root_.path().c_str(), 100000, 100000), 0);
  box.rights.pid_owned = false;
  const std::string seen = in_box(box, [](const Built& built) {
    return mount_at("/proc").substr(0, 4) + " " + (built.notes.empty() ? "" : built.notes.front());
  });
  EXPECT_EQ(seen,
            "proc /proc is the host's: the namespace that it shows is not the container's own");
}

// The kernel lets nobody have a /proc that shows more than the one he has.
TEST_F(Rootfs, HostsProcIsBoundWhereANewOneWouldShowMore) {
  ASSERT_EQ(::chown(root_.path().c_str(), 100000, 100000), 0);
  root_.directory("inner/root");
  ASSERT_EQ(::chown((root_ / "inner/root").c_str(), 100000, 100000), 0);
  const Box outer{.spec = ordinary(root_), .flags = all_but_user | CLONE_NEWUSER};
  const std::string seen = in_box(outer, [&](const Built&) {
    Spec spec = ordinary(root_);
    spec.root.path = "/inner/root";
    std::erase_if(spec.mounts, [](const Mount& m) { return m.type == "cgroup"; });
    const Box inner{.spec = spec,
                    .flags = all_but_user | CLONE_NEWUSER,
                    .mappings = {{{0, 0, 65536}}, {{0, 0, 65536}}}};
    return in_box(inner, [](const Built& built) {
      std::string text = "[" + content("/proc/keys") + "] " + mount_at("/proc").substr(0, 4);
      for (const std::string& note : built.notes)
        text += " " + note.substr(0, note.find(" (")) + ".";
      return text;
    });
  });
  EXPECT_EQ(seen,
            "[] proc /proc is the host's: a new one was refused. /sys is the host's: a new one was "
            "refused.");
}

TEST_F(Rootfs, OrdinaryUser) {
  const Folder host;
  host.file("file", "x");
  ASSERT_EQ(::chown(root_.path().c_str(), 1234, 1234), 0);
  ASSERT_EQ(::chown(host.path().c_str(), 1234, 1234), 0);
  Spec spec = ordinary(root_);
  spec.mounts.push_back({"/data", "bind", host.path(), {"rbind", "ro"}, {}, {}});
  const std::string seen = as_user(1234, [&] {
    return in_box({.spec = spec,
                   .flags = all_but_user | CLONE_NEWUSER,
                   .mappings = {{{0, 1234, 1}}, {{0, 1234, 1}}}},
                  [](const Built& built) {
                    std::string text = content("/data/file") + " " + write_to("/data/new", "") +
                                       " " + write_to("/dev/null", "x") + " " + write_to("/x", "");
                    for (const std::string& note : built.notes) text += "|" + note;
                    return text;
                  });
  });
  EXPECT_EQ(seen,
            "x EROFS written written|/dev/pts: terminals keep their owner's group, since gid 5 is "
            "not mapped");
}

TEST_F(Rootfs, RootThatTheContainersRootCannotReach) {
  const std::string inner = root_.directory("closed/root");
  ASSERT_EQ(::chmod((root_ / "closed").c_str(), 0700), 0);
  ASSERT_EQ(::chown(inner.c_str(), 100000, 100000), 0);
  root_.file("closed/volume/file", "x");
  Spec spec = ordinary(root_);
  spec.root.path = inner;
  spec.mounts.push_back({"/data", "bind", root_ / "closed/volume", {"bind", "ro"}, {}, {}});
  const std::string seen =
      in_box({.spec = spec, .flags = all_but_user | CLONE_NEWUSER}, [](const Built&) {
        return content("/data/file") + " " + write_to("/data/file", "") + " " +
               write_to("/new", "");
      });
  EXPECT_EQ(seen, "x EACCES written");
}

TEST_F(Rootfs, ReadOnlyTmpfsHoldsItsMounts) {
  Spec spec = ordinary(root_);
  for (Mount& mount : spec.mounts)
    if (mount.destination == "/dev") mount.options.emplace_back("ro");
  const std::string seen = in_box({.spec = spec}, [](const Built&) {
    return write_to("/dev/null", "x") + " " + write_to("/dev/shm/x", "") + " " +
           write_to("/dev/new", "");
  });
  EXPECT_EQ(seen, "written written EROFS");
}

TEST_F(Rootfs, Console) {
  const std::string seen = in_box({.spec = ordinary(root_)}, [](const Built& built) {
    const Result<Fd> master = sys::open(cwd, "/dev/ptmx", O_RDWR | O_NOCTTY);
    const Result<void> wrong = bind_console(built.root, "/dev/null");
    const Result<void> bound = bind_console(built.root, "/dev/pts/0");
    if (!master || !bound) return "no: " + (bound ? "ptmx" : bound.error().message());
    const auto console = sys::status_at(cwd, "/dev/console"),
               pts = sys::status_at(cwd, "/dev/pts/0");
    return std::string(wrong ? "wrong taken" : "wrong refused") +
           (console->st_rdev == pts->st_rdev ? ", the same" : ", another");
  });
  EXPECT_EQ(seen, "wrong refused, the same");
}

struct Refusal {
  const char* name;
  Mount mount;
  const char* says;
};

TEST_F(Rootfs, RefusalsSayWhatAndWhy) {
  for (const Refusal& refusal : std::to_array<Refusal>({
           {"source",
            {"/x", "bind", "/does/not/exist", {"bind"}, {}, {}},
            "error: mount /x: opening its source: open_tree /does/not/exist: No such file or "
            "directory [create it, or correct the mount's source]"},
           {"type",
            {"/x", "tmpffs", "x", {}, {}, {}},
            "error: mounting /x: fsopen tmpffs: No such device [look up the types that this kernel "
            "has in /proc/filesystems]"},
           {"option",
            {"/x", "tmpfs", "x", {"sise=4m"}, {}, {}},
            "error: mounting /x: fsconfig tmpfs sise=4m (tmpfs: Unknown parameter 'sise'): Invalid "
            "argument [did you mean 'size'?]"},
           {"idmap",
            {"/x", "bind", "/etc", {"bind", "idmap"}, {}, {}},
            "error: mount /x: the option idmap needs uidMappings and gidMappings, of the mount or "
            "of the container's user namespace"},
           {"file",
            {"/file", "bind", "/etc", {"bind"}, {}, {}},
            "error: mounting /file: a directory cannot be mounted on a file: openat2 /file: Not a "
            "directory"},
           {"directory",
            {"/directory", "bind", "/etc/passwd", {"bind"}, {}, {}},
            "error: mounting /directory: a file cannot be mounted on a directory: move_mount: "
            "Invalid argument"},
       })) {
    root_.file("file", "");
    root_.directory("directory");
    Spec spec = ordinary(root_);
    spec.mounts.push_back(refusal.mount);
    Box box{.spec = spec, .mappings = {}};
    const std::string seen = in_box(box, [](const Built&) { return std::string(); });
    EXPECT_EQ(seen, refusal.says) << refusal.name;
  }
}

TEST_F(Rootfs, MissingRootIsKnownBeforeTheStart) {
  const Result<Prepared> prepared = prepare({.root = {.path = root_ / "nothing"}});
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().code, ENOENT);
  root_.file("plain", "");
  const Result<Prepared> file = prepare({.root = {.path = root_ / "plain"}});
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ENOTDIR);
}

}  // namespace
}  // namespace umbel::rootfs::testing
