// The host's root under an overlay: what is seen, what is kept apart, how deep it goes.
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>

#include "rootfs/box.h"
#include "rootfs/layers.h"
#include "rootfs/rootfs.h"

namespace umbel::rootfs::testing {
namespace {

Spec overlay() {
  Spec spec;
  spec.mounts = default_mounts(std::uint64_t{64} << 20);
  spec.devices = default_devices();
  return spec;
}

class Overlay : public ::testing::Test {
 protected:
  void SetUp() override {
    UMBEL_SKIP_WITHOUT_MOUNTS();
    mounts_ = host_mounts();
    host_.file("file", "the host's");
    host_.directory("empty");
  }
  void TearDown() override {
    EXPECT_EQ(mounts_.empty() ? "" : host_mounts(), mounts_);
    EXPECT_EQ(mounts_.empty() ? "the host's" : content(host_ / "file"), "the host's");
  }
  // In a private namespace: a tmpfs at a directory of this test.
  Fd mount_tmpfs(const std::string& path, const char* flag = nullptr) const {
    auto made = sys::FileSystem::open("tmpfs");
    EXPECT_TRUE(flag == nullptr || made->flag(flag));
    Fd mount = *made->mount();
    EXPECT_TRUE(sys::attach_at(mount, cwd, path));
    return mount;
  }
  Folder host_;
  std::string mounts_;
};

TEST_F(Overlay, HostIsSeenAndLeftAlone) {
  const std::string seen = in_box({.spec = overlay()}, [&](const Built&) {
    std::string text = content(host_ / "file");
    text += " " + write_to(host_ / "file", "CHANGED");
    text += " " + write_to("/umbel-overlay-test", "x");
    text += " " + std::string(sys::rename(cwd, host_ / "empty", cwd, host_ / "renamed")
                                  ? "renamed"
                                  : "not renamed");
    text += " " + content(host_ / "file");
    return text + " " + mount_at("/").substr(0, 7) + " " + names("/proc/self/task");
  });
  EXPECT_EQ(seen, "the host's written written renamed CHANGEDt's overlay 1");
  EXPECT_FALSE(sys::exists(cwd, "/umbel-overlay-test"));
  EXPECT_TRUE(sys::exists(cwd, host_ / "empty"));
}

TEST_F(Overlay, IsTheWholeRoot) {
  const std::string seen = in_box({.spec = overlay()}, [](const Built& built) {
    const auto mounts = proc::parse_mounts(content("/proc/self/mountinfo"));
    std::string text;
    for (const proc::Mount& m : *mounts)
      if (m.point == "/") text += m.type + " ";
    const auto a = sys::identity(built.root), b = sys::identity(*sys::open(cwd, "/", O_PATH)),
               c = sys::identity(*sys::open(cwd, "/../..", O_PATH));
    text += *a == *b && *b == *c ? "one " : "several ";
    return text + (sys::unshare(CLONE_NEWUSER | CLONE_NEWNS) ? "user" : "no user");
  });
  EXPECT_EQ(seen, "overlay one user");
}

TEST_F(Overlay, SizeIsALimit) {
  Spec spec = overlay();
  spec.root.overlay_size = std::uint64_t{256} << 10;
  const std::string seen = in_box({.spec = spec}, [&](const Built&) {
    const std::string small = write_to(host_ / "small", std::string(1000, 'x'));
    return small + " " + write_to(host_ / "large", std::string(std::size_t{1} << 20, 'x'));
  });
  EXPECT_EQ(seen, "written not written");
}

TEST_F(Overlay, ReadOnly) {
  Spec spec = overlay();
  spec.root.read_only = true;
  host_.directory("volume");
  const int outcome = in_private_namespace([&] {
    mount_tmpfs(host_ / "volume");
    const std::string seen = in_box({.spec = spec}, [&](const Built&) {
      return write_to("/x", "") + " " + write_to(host_ / "volume/x", "") + " " +
             write_to("/dev/shm/x", "");
    });
    EXPECT_EQ(seen, "EROFS EROFS written");
  });
  EXPECT_EQ(outcome, 0);
}

TEST_F(Overlay, EveryFileSystemOfTheHostByItsKind) {
  for (const char* name : {"volume", "colon:comma,", "fixed", "left", "covered/below"})
    host_.directory(name);
  host_.file("single", "");
  const int outcome = in_private_namespace([&] {
    mount_tmpfs(host_ / "volume");
    host_.directory("volume/deep");
    mount_tmpfs(host_ / "volume/deep");
    mount_tmpfs(host_ / "colon:comma,");
    mount_tmpfs(host_ / "fixed", "ro");
    mount_tmpfs(host_ / "covered/below");
    mount_tmpfs(host_ / "covered");
    mount_tmpfs(host_ / "covered");
    host_.file("covered/on top", "");
    for (const char* name : {"volume/deep/file", "colon:comma,/file"}) host_.file(name, "host");
    ASSERT_EQ(::chmod((host_ / "volume").c_str(), 01777), 0);
    ASSERT_EQ(::chown((host_ / "volume").c_str(), 5, 6), 0);
    auto proc = sys::FileSystem::open("proc");
    ASSERT_TRUE(sys::attach_at(*proc->mount(), cwd, host_ / "left"));
    const Fd file = *sys::clone_tree(cwd, "/etc/passwd", sys::Depth::one);
    ASSERT_TRUE(sys::attach_at(file, cwd, host_ / "single"));
    const std::string seen = in_box({.spec = overlay()}, [&](const Built&) {
      const auto volume = sys::status_at(cwd, host_ / "volume");
      std::string text = content(host_ / "volume/deep/file") + content(host_ / "colon:comma,/file");
      text += " " + write_to(host_ / "volume/deep/file", "mine");
      text += " " + write_to(host_ / "colon:comma,/file", "mine");
      text += " " + write_to(host_ / "fixed/x", "");
      text += " " + write_to(host_ / "single", "x");
      text += " [" + names(host_ / "left") + "][" + names(host_ / "covered") + "] ";
      text += std::to_string(volume->st_mode & 07777) + " " + std::to_string(volume->st_uid);
      return text + (content(host_ / "single").size() > 10 ? " copied" : " empty");
    });
    EXPECT_EQ(seen, "hosthost written written EROFS written [][on top] " + std::to_string(01777) +
                        " 5 copied");
    EXPECT_EQ(content(host_ / "volume/deep/file"), "host");
    EXPECT_EQ(content(host_ / "colon:comma,/file"), "host");
    EXPECT_NE(content("/etc/passwd").front(), 'x');
  });
  EXPECT_EQ(outcome, 0);
}

// Containers of other engines on the host cost nothing and are not shown.
TEST_F(Overlay, OverlaysOfOthersAreLeftOut) {
  for (const char* name : {"l", "u", "w", "merged"}) host_.directory(name);
  host_.file("l/file", "x");
  const int outcome = in_private_namespace([&] {
    mount_tmpfs(host_ / "u");
    host_.directory("u/upper");
    host_.directory("u/work");
    auto made = sys::FileSystem::open("overlay");
    ASSERT_TRUE(made->set("lowerdir", host_ / "l") && made->set("upperdir", host_ / "u/upper") &&
                made->set("workdir", host_ / "u/work"));
    ASSERT_TRUE(sys::attach_at(*made->mount(), cwd, host_ / "merged"));
    EXPECT_EQ(names(host_ / "merged"), "file");
    EXPECT_EQ(in_box({.spec = overlay()}, [&](const Built&) { return names(host_ / "merged"); }),
              "");
  });
  EXPECT_EQ(outcome, 0);
}

TEST_F(Overlay, DirectoryKeepsTheChanges) {
  Spec spec = overlay();
  spec.root.overlay_dir = host_ / "new/kept";
  const auto add = [&](const Built&) {
    const std::string before = content(host_ / "count");
    const Result<Fd> file = sys::open(cwd, host_ / "count", O_WRONLY | O_CREAT | O_APPEND, 0644);
    return (before.starts_with("error") ? "nothing" : before) +
           (file && sys::write_all(*file, "x") ? "" : " not written");
  };
  EXPECT_EQ(in_box({.spec = spec}, add), "nothing");
  EXPECT_EQ(in_box({.spec = spec}, add), "x");
  EXPECT_EQ(in_box({.spec = spec}, add), "xx");
  EXPECT_FALSE(sys::exists(cwd, host_ / "count"));
  // One upper directory a file system of the host; /tmp may be one of its own.
  int kept = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(host_ / "new/kept"))
    kept += entry.path().filename() == "count" ? 1 : 0;
  EXPECT_EQ(kept, 1);
}

TEST_F(Overlay, DirectoryThatCannotKeepChangesIsRefused) {
  const std::string seen = in_box({.spec = overlay()}, [&](const Built&) {
    Spec spec = overlay();
    spec.root.overlay_dir = "/kept-on-overlay";
    return in_box({.spec = spec}, [](const Built&) { return std::string("made"); });
  });
  EXPECT_EQ(seen,
            "error: keeping the changes in /kept-on-overlay: it lies on overlay, which cannot keep "
            "an overlay's changes [choose a directory on ext4, xfs, btrfs or tmpfs]");
}

// At each level: the next, its own mark, and what all levels have left.
std::string nested(int levels, bool nest, const std::string& folder) {
  Spec spec = overlay();
  spec.root.nest = nest;
  return in_box({.spec = spec}, [&](const Built&) {
    const std::string mark = folder + "/level" + std::to_string(levels);
    std::string text = write_to(mark, "x") == "written" ? "" : "read-only";
    text += write_to(folder + "/file", std::to_string(levels)) == "written" ? "" : "fixed";
    text += levels == 1 ? names(folder) : nested(levels - 1, nest, folder);
    return text + "|" + names(folder) + " " + content(folder + "/file");
  });
}

TEST_F(Overlay, FourLevelsDeep) {
  EXPECT_EQ(nested(4, true, host_.path()),
            "empty file level1 level2 level3 level4|"
            "empty file level1 level2 level3 level4 1he host's|"
            "empty file level2 level3 level4 2he host's|"
            "empty file level3 level4 3he host's|"
            "empty file level4 4he host's");
  EXPECT_EQ(names(host_.path()), "empty file");
}

TEST_F(Overlay, MountsAreNestedToo) {
  host_.directory("volume");
  const int outcome = in_private_namespace([&] {
    mount_tmpfs(host_ / "volume");
    host_.file("volume/file", "host");
    const std::string seen = nested(4, true, host_ / "volume");
    EXPECT_TRUE(seen.starts_with("file level1 level2 level3 level4|")) << seen;
    EXPECT_EQ(names(host_ / "volume"), "file");
  });
  EXPECT_EQ(outcome, 0);
}

// The first level lies on the host itself, which no container is to find beneath its root.
TEST_F(Overlay, HostsRootIsNotKept) {
  Spec spec = overlay();
  spec.root.nest = true;
  const auto beneath = [](const Built&) {
    const Fd home = *sys::open(cwd, "/proc/self/ns", O_PATH | O_DIRECTORY);
    if (!sys::unshare(CLONE_NEWNS)) return std::string("no copy");
    const Result<void> uncovered = uncover_root(*sys::open(home, "mnt", O_RDONLY), 1);
    return uncovered ? names("/") + ": " + names("/stack") : told(uncovered.error());
  };
  if (sys::file_system(*sys::open(cwd, "/", O_PATH))->f_type == OVERLAYFS_SUPER_MAGIC)
    GTEST_SKIP() << "this root is an overlay itself";
  EXPECT_EQ(in_box({.spec = spec}, beneath), "stack: layers");
}

TEST_F(Overlay, ThirdLevelAsksForNest) {
  const std::string seen = nested(3, false, host_.path());
  EXPECT_NE(seen.find("[start the umbel that this one runs in with --nest]"), std::string::npos)
      << seen;
}

std::string changes_text(HostPid pid, const Root& root, const std::string& below) {
  const auto ns = sys::open(cwd, "/proc/" + std::to_string(pid.value()) + "/ns/mnt", O_RDONLY);
  if (!ns) return told(ns.error());
  const auto found = changes(*ns, root);
  if (!found) return told(found.error());
  std::string text;
  for (const Change& change : *found)
    if (change.path.starts_with(below + "/"))
      text += std::string(1, change.kind) + change.path.substr(below.size()) + " ";
  return text;
}

TEST_F(Overlay, Changes) {
  host_.file("deleted", "x");
  host_.file("opened", "x");
  host_.file("replaced/old", "x");
  host_.file("tree/file", "x");
  host_.directory("volume");
  const int outcome = in_private_namespace([&] {
    mount_tmpfs(host_ / "volume");
    host_.file("volume/kept", "x");
    const Box box{.spec = overlay()};
    const std::string seen = in_box(
        box,
        [&](const Built&) {
          write_to(host_ / "file", "THE");
          write_to(host_ / "added/file", "x");
          write_to(host_ / "new", "x");
          (void)sys::remove_file(cwd, host_ / "deleted");
          (void)sys::open(cwd, host_ / "opened", O_RDWR);
          const Fd at = *sys::open(cwd, host_.path(), O_RDONLY);
          (void)sys::remove_tree(at, "replaced");
          (void)sys::make_directory(at, "replaced", 0755);
          write_to(host_ / "replaced/new", "x");
          (void)sys::change_mode(cwd, host_ / "tree/file", 0600);
          write_to(host_ / "volume/inner", "x");
          return std::string();
        },
        [&](HostPid pid) { return changes_text(pid, box.spec.root, host_.path()); });
    EXPECT_EQ(seen,
              "D/deleted C/file A/new C/replaced A/replaced/new D/replaced/old C/tree C/tree/file "
              "C/volume A/volume/inner ");
  });
  EXPECT_EQ(outcome, 0);
}

TEST_F(Overlay, ChangesThatAreKeptInADirectory) {
  Spec spec = overlay();
  spec.root.overlay_dir = host_ / "kept";
  const std::string seen = in_box(
      {.spec = spec}, [&](const Built&) { return write_to(host_ / "new", "x") + " "; },
      [&](HostPid pid) { return changes_text(pid, spec.root, host_.path()); });
  EXPECT_EQ(seen, "written A/new ");
}

TEST_F(Overlay, HostsProhibitionsHold) {
  host_.directory("volume");
  const int outcome = in_private_namespace([&] {
    const Fd volume = mount_tmpfs(host_ / "volume");
    ASSERT_TRUE(sys::set_attributes(volume, sys::Depth::one,
                                    {.set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC}));
    EXPECT_EQ(in_box({.spec = overlay()}, [&](const Built&) { return mount_at(host_ / "volume"); }),
              "overlay rw,nosuid,noexec,relatime");
  });
  EXPECT_EQ(outcome, 0);
}

// An ordinary user, with nobody but himself in his user namespace.
TEST_F(Overlay, OrdinaryUser) {
  host_.file("mine/file", "host");
  ASSERT_EQ(::chown(host_.path().c_str(), 1234, 1234), 0);
  ASSERT_EQ(::chown((host_ / "mine").c_str(), 1234, 1234), 0);
  ASSERT_EQ(::chown((host_ / "mine/file").c_str(), 1234, 1234), 0);
  const std::string seen = as_user(1234, [&] {
    const Box box{.spec = overlay(),
                  .flags = all_but_user | CLONE_NEWUSER,
                  .mappings = {{{0, 1234, 1}}, {{0, 1234, 1}}}};
    return in_box(
        box,
        [&](const Built&) {
          std::string text = write_to(host_ / "mine/file", "mine");
          text += " " + content(host_ / "mine/file") + " " + write_to("/etc/passwd", "x");
          text += " " + write_to("/dev/null", "x") + " " + names("/root").substr(0, 5);
          return text + " " + mount_at("/proc") + " ";
        },
        [&](HostPid pid) { return changes_text(pid, box.spec.root, host_.path()); });
  });
  EXPECT_EQ(seen,
            "written mine EACCES written error proc rw,nosuid,nodev,noexec,relatime C/mine "
            "C/mine/file ");
  EXPECT_EQ(content(host_ / "mine/file"), "host");
}

TEST_F(Overlay, ChangesOfARootOfItsOwnAreNotKnown) {
  EXPECT_FALSE(changes(*sys::open(cwd, "/proc/self/ns/mnt", O_RDONLY), {.path = "/x"}));
  EXPECT_FALSE(changes(*sys::open(cwd, "/proc/self/ns/mnt", O_RDONLY), {}));
}

TEST_F(Overlay, UserNamespaceGetsPieces) {
  host_.directory("split/volume");
  host_.directory("split/writable");
  host_.file("split/writable/file", "host");
  host_.file("split/small", "small");
  ASSERT_EQ(::symlink("small", (host_ / "split/link").c_str()), 0);
  ASSERT_EQ(::chown((host_ / "split/writable").c_str(), 100000, 100000), 0);
  ASSERT_EQ(::chown((host_ / "split/writable/file").c_str(), 100000, 100000), 0);
  const int outcome = in_private_namespace([&] {
    mount_tmpfs(host_ / "split/volume");
    host_.file("split/volume/file", "volume");
    const Box box{.spec = overlay(), .flags = all_but_user | CLONE_NEWUSER};
    const std::string seen = in_box(
        box,
        [&](const Built&) {
          std::string text = content(host_ / "split/volume/file") + " " +
                             content(host_ / "split/small") + " " +
                             sys::readlink(cwd, host_ / "split/link").value_or("?");
          text += " " + write_to(host_ / "split/writable/file", "mine");
          text += " " + write_to(host_ / "split/writable/new", "mine");
          text += " " + content(host_ / "split/writable/file");
          text += " " + sys::readlink(cwd, "/bin").value_or("no link");
          text += " " + write_to("/new-at-the-top", "x");
          text += " " + std::string(sys::unshare(CLONE_NEWUSER) ? "user" : "no user");
          return text + " " +
                 (content("/etc/passwd").starts_with("root:") ? "passwd " : "nothing ");
        },
        [&](HostPid pid) { return changes_text(pid, box.spec.root, ""); });
    EXPECT_EQ(seen, "volume small small written written mine " +
                        sys::readlink(cwd, "/bin").value_or("no link") + " written user passwd " +
                        "A/new-at-the-top C" + host_.path().substr(0, 4) + " C" + host_.path() +
                        " C" + (host_ / "split") + " C" + (host_ / "split/writable") + " C" +
                        (host_ / "split/writable/file") + " A" + (host_ / "split/writable/new") +
                        " ");
  });
  EXPECT_EQ(outcome, 0);
  EXPECT_EQ(content(host_ / "split/writable/file"), "host");
}

}  // namespace
}  // namespace umbel::rootfs::testing
