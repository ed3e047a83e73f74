#include "sys/file.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "sys/testing.h"

namespace umbel::sys {

namespace {

std::string inside(FdRef root, const std::string& path) {
  const Result<Fd> fd = open_in_root(root, path, O_RDONLY);
  if (!fd) return fd.error().message();
  return read_all(*fd).value_or("unreadable");
}

TEST(OpenInRoot, KeepsLinksAndDotsInside) {
  const Scratch scratch;
  ASSERT_TRUE(make_directories(scratch.path("root/etc"), 0755));
  ASSERT_TRUE(make_directories(scratch.path("root/deep/er"), 0755));
  scratch.file("root/etc/passwd", "inside");
  scratch.file("secret", "outside");
  const Fd root = *open(scratch.dir(), "root", O_PATH | O_DIRECTORY);
  ASSERT_TRUE(symlink("/etc/passwd", root, "absolute"));
  ASSERT_TRUE(symlink("../../../../../etc/passwd", root, "deep/er/relative"));
  ASSERT_TRUE(symlink("../secret", root, "escape"));
  ASSERT_TRUE(symlink("/", root, "deep/top"));
  EXPECT_EQ(inside(root, "/etc/passwd"), "inside");
  EXPECT_EQ(inside(root, "absolute"), "inside");
  EXPECT_EQ(inside(root, "deep/er/relative"), "inside");
  EXPECT_EQ(inside(root, "deep/top/../../etc/passwd"), "inside");
  EXPECT_EQ(open_in_root(root, "escape", O_RDONLY).error().code, ENOENT);
  EXPECT_EQ(open_in_root(root, "../secret", O_RDONLY).error().code, ENOENT);
}

TEST(OpenInRoot, RefusesMagicLinks) {
  const Fd proc = *open(cwd, "/proc", O_PATH | O_DIRECTORY);
  EXPECT_EQ(open_in_root(proc, "self/root", O_PATH).error().code, ELOOP);
  EXPECT_EQ(open_in_root(proc, "self/fd/0", O_PATH).error().code, ELOOP);
}

// A container that swaps a directory for a link while it is being walked through.
TEST(OpenInRoot, IsNotFooledByARace) {
  const Scratch scratch;
  ASSERT_TRUE(make_directories(scratch.path("root/way"), 0755));
  scratch.file("root/way/file", "inside");
  scratch.file("file", "outside");
  const Fd root = *open(scratch.dir(), "root", O_PATH | O_DIRECTORY);
  ASSERT_TRUE(symlink("..", root, "link"));
  std::atomic<bool> stop = false;
  std::thread swapper([&] {
    while (!stop) ::renameat2(root.number(), "way", root.number(), "link", RENAME_EXCHANGE);
  });
  int reached = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Result<Fd> fd = open_in_root(root, "way/file", O_RDONLY);
    if (!fd) continue;
    ++reached;
    EXPECT_EQ(read_all(*fd).value(), "inside");
  }
  stop = true;
  swapper.join();
  EXPECT_GT(reached, 0);
}

TEST(OpenBeneath, RefusesEveryLinkAndEveryWayOut) {
  const Scratch scratch;
  ASSERT_TRUE(make_directories(scratch.path("a"), 0755));
  scratch.file("a/file", "x");
  ASSERT_TRUE(symlink("a", scratch.dir(), "link"));
  EXPECT_TRUE(open_beneath(scratch.dir(), "a/file", O_RDONLY));
  EXPECT_EQ(open_beneath(scratch.dir(), "link/file", O_RDONLY).error().code, ELOOP);
  EXPECT_EQ(open_beneath(scratch.dir(), "a/../..", O_PATH).error().code, EXDEV);
  EXPECT_EQ(open_beneath(scratch.dir(), "/etc", O_PATH).error().code, EXDEV);
}

TEST(Open, IsAlwaysCloseOnExec) {
  const Scratch scratch;
  scratch.file("file", "x");
  const Fd by_path = *open(scratch.dir(), "file", O_PATH);
  const Fd reopened = *reopen(by_path, O_RDONLY);
  const Fd beneath = *open_beneath(scratch.dir(), "file", O_RDONLY);
  const Fd copy = *duplicate(beneath);
  const Pipe ends = *pipe();
  const Fd memory = *memory_file("test");
  for (const FdRef fd : {FdRef(by_path), FdRef(reopened), FdRef(beneath), FdRef(copy),
                         FdRef(ends.read), FdRef(ends.write), FdRef(memory)})
    EXPECT_EQ(::fcntl(fd.number(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(*read_all(reopened), "x");
}

TEST(Open, NamesTheCallAndThePath) {
  const Result<Fd> fd = open(cwd, "/nonexistent/file", O_RDONLY);
  EXPECT_EQ(fd.error().message(), "open /nonexistent/file: No such file or directory");
}

TEST(Read, ReadsAllUpToTheLimit) {
  const Scratch scratch;
  std::string text(100'000, 'a');
  text.back() = 'z';
  scratch.file("file", text);
  EXPECT_EQ(*read_file(scratch.dir(), "file"), text);
  const Fd fd = *open(scratch.dir(), "file", O_RDONLY);
  EXPECT_EQ(read_all(fd, 5000)->size(), 5000U);
  EXPECT_FALSE(read_file(cwd, "/proc/self/status")->empty());
}

std::vector<std::string> names(FdRef dir) {
  std::vector<std::string> found = *list(dir, ".");
  std::ranges::sort(found);
  return found;
}

TEST(ReplaceFile, LeavesOldOrNewAndNothingElse) {
  const Scratch scratch;
  EXPECT_EQ(why_not(replace_file(scratch.dir(), "state", "one", 0600)), "");
  EXPECT_EQ(status_at(scratch.dir(), "state")->st_mode & 0777U, 0600U);
  EXPECT_EQ(why_not(replace_file(scratch.dir(), "state", "two", 0600)), "");
  EXPECT_EQ(*read_file(scratch.dir(), "state"), "two");
  ASSERT_TRUE(make_directory(scratch.dir(), "taken", 0755));
  EXPECT_EQ(replace_file(scratch.dir(), "taken", "x").error().code, EISDIR);
  EXPECT_EQ(names(scratch.dir()), (std::vector<std::string>{"state", "taken"}));
}

TEST(ReplaceFile, ShowsReadersNoMixtureOfTwoWriters) {
  const Scratch scratch;
  constexpr std::size_t size = 200'000;
  ASSERT_TRUE(replace_file(scratch.dir(), "state", std::string(size, 'a')));
  std::atomic<int> running = 2;
  const auto writer = [&](char letter) {
    for (int i = 0; i < 100; ++i)
      EXPECT_EQ(why_not(replace_file(scratch.dir(), "state", std::string(size, letter))), "");
    --running;
  };
  std::thread first(writer, 'b');
  std::thread second(writer, 'c');
  while (running > 0) {
    const std::string seen = *read_file(scratch.dir(), "state");
    ASSERT_EQ(seen.size(), size);
    ASSERT_EQ(std::ranges::count(seen, seen[0]), static_cast<std::ptrdiff_t>(size));
  }
  first.join();
  second.join();
  EXPECT_EQ(names(scratch.dir()), (std::vector<std::string>{"state"}));
}

TEST(ReplaceFile, FollowsNoLink) {
  const Scratch scratch;
  scratch.file("victim", "untouched");
  ASSERT_TRUE(symlink("victim", scratch.dir(), "state"));
  ASSERT_TRUE(replace_file(scratch.dir(), "state", "new"));
  EXPECT_EQ(*read_file(scratch.dir(), "victim"), "untouched");
  EXPECT_EQ(*read_file(scratch.dir(), "state"), "new");
}

TEST(MakeDirectories, MakesParentsAndAcceptsWhatIsThere) {
  const Scratch scratch;
  const std::string path = scratch.path("a/b//c");
  EXPECT_EQ(why_not(make_directories(path, 0755)), "");
  EXPECT_EQ(why_not(make_directories(path, 0755)), "");
  EXPECT_TRUE(S_ISDIR(status_at(scratch.dir(), "a/b/c")->st_mode));
  scratch.file("a/file", "x");
  EXPECT_EQ(make_directories(scratch.path("a/file"), 0755).error().code, ENOTDIR);
  EXPECT_EQ(make_directories(scratch.path("a/file/b"), 0755).error().code, ENOTDIR);
}

TEST(RemoveTree, RemovesFilesDirectoriesAndLinksButNotWhatLinksLeadTo) {
  const Scratch scratch;
  ASSERT_TRUE(make_directories(scratch.path("kept/inner"), 0755));
  scratch.file("kept/file", "x");
  ASSERT_TRUE(make_directories(scratch.path("tree/a/b"), 0755));
  scratch.file("tree/a/b/file", "x");
  ASSERT_TRUE(symlink(scratch.path("kept"), scratch.dir(), "tree/to-directory"));
  ASSERT_TRUE(symlink("../../kept/file", scratch.dir(), "tree/a/to-file"));
  ASSERT_TRUE(symlink("kept", scratch.dir(), "itself"));
  EXPECT_EQ(why_not(remove_tree(scratch.dir(), "tree")), "");
  EXPECT_EQ(why_not(remove_tree(scratch.dir(), "itself")), "");
  EXPECT_EQ(names(scratch.dir()), (std::vector<std::string>{"kept"}));
  EXPECT_TRUE(exists(scratch.dir(), "kept/file"));
  EXPECT_TRUE(exists(scratch.dir(), "kept/inner"));
  EXPECT_EQ(remove_tree(scratch.dir(), "tree").error().code, ENOENT);
}

TEST(RemoveTree, TakesAnyKindOfPath) {
  const Scratch scratch;
  for (const std::string& path : {scratch.path("one/two"), scratch.path("one/two/")}) {
    ASSERT_TRUE(make_directories(scratch.path("one/two/three"), 0755));
    EXPECT_EQ(why_not(remove_tree(cwd, path)), "") << path;
    EXPECT_FALSE(exists(scratch.dir(), "one/two"));
    ASSERT_TRUE(make_directories(scratch.path("one/two/three"), 0755));
    EXPECT_EQ(why_not(remove_tree(scratch.dir(), "one/two")), "");
    EXPECT_FALSE(exists(scratch.dir(), "one/two"));
  }
}

// A container can nest directories deeper than there are descriptors, or stack, to walk them.
TEST(RemoveTree, IsNotStoppedByDepth) {
  const Scratch scratch;
  in_child(0, [&] {
    const rlimit few{.rlim_cur = 128, .rlim_max = 128};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    Fd at = *duplicate(scratch.dir());
    for (int i = 0; i < 300; ++i) {
      ASSERT_TRUE(make_directory(at, "d", 0755));
      at = *open(at, "d", O_RDONLY | O_DIRECTORY);
    }
    ASSERT_TRUE(symlink("..", at, "link"));
    EXPECT_EQ(why_not(remove_tree(scratch.dir(), "d")), "");
  });
  EXPECT_TRUE(names(scratch.dir()).empty());
}

TEST(RemoveTree, StopsAtAMount) {
  UMBEL_NEEDS_ROOT();
  const Scratch scratch;
  in_child(CLONE_NEWNS, [&] {
    ASSERT_TRUE(make_directories(scratch.path("tree/mounted"), 0755));
    ASSERT_EQ(::mount("tmpfs", scratch.path("tree/mounted").c_str(), "tmpfs", 0, nullptr), 0);
    const std::string precious = scratch.path("tree/mounted/precious");
    ASSERT_TRUE(open(cwd, precious, O_WRONLY | O_CREAT, 0644));
    const Result<void> removed = remove_tree(cwd, scratch.path("tree"));
    ASSERT_FALSE(removed);
    EXPECT_NE(removed.error().cure.find("unmount"), std::string::npos);
    EXPECT_TRUE(exists(cwd, precious));
  });
}

TEST(Files, AreListedRenamedAndIdentified) {
  const Scratch scratch;
  scratch.file("b", "x");
  scratch.file("a", "y");
  EXPECT_EQ(names(scratch.dir()), (std::vector<std::string>{"a", "b"}));
  const Identity before = *identity(*open(scratch.dir(), "a", O_PATH));
  ASSERT_TRUE(rename(scratch.dir(), "a", scratch.dir(), "c"));
  EXPECT_EQ(*identity(*open(scratch.dir(), "c", O_PATH)), before);
  EXPECT_NE(*identity(*open(scratch.dir(), "b", O_PATH)), before);
  ASSERT_TRUE(symlink("anywhere", scratch.dir(), "link"));
  EXPECT_EQ(*readlink(scratch.dir(), "link"), "anywhere");
  EXPECT_TRUE(exists(scratch.dir(), "link"));
  EXPECT_EQ(list(scratch.dir(), "b").error().code, ENOTDIR);
}

TEST(Files, AreListedAgainAndWithoutThePermissionToSearch) {
  const Scratch scratch;
  ASSERT_TRUE(make_directories(scratch.path("dir/inner"), 0755));
  const Fd dir = *open(scratch.dir(), "dir", O_RDONLY | O_DIRECTORY);
  EXPECT_EQ(*list(dir, "."), (std::vector<std::string>{"inner"}));
  EXPECT_EQ(*list(dir, "."), (std::vector<std::string>{"inner"}));
  const Fd path_only = *open(scratch.dir(), "dir", O_PATH | O_DIRECTORY);
  EXPECT_EQ(*list(path_only, "."), (std::vector<std::string>{"inner"}));
  ASSERT_TRUE(change_mode(scratch.dir(), "dir", 0600));
  in_child(0, [&] {
    if (is_root()) {
      ASSERT_TRUE(change_owner(dir, 1234, 1234));
      ASSERT_EQ(::setresuid(1234, 1234, 1234), 0);
    }
    EXPECT_EQ(why_not(list(dir, ".")), "");
  });
}

TEST(Files, AreInstalledAsAnyNumber) {
  const Pipe ends = *pipe();
  in_child(0, [&] {
    const Fd taken = *duplicate(ends.write);
    ASSERT_TRUE(install(ends.write, 50));
    EXPECT_EQ(::fcntl(50, F_GETFD), 0);
    EXPECT_TRUE(install(taken, taken.number()));
    EXPECT_EQ(::fcntl(taken.number(), F_GETFD), 0);
    ASSERT_TRUE(close_from(50));
    EXPECT_LT(::fcntl(50, F_GETFD), 0);
  });
}

TEST(Lock, ExcludesOtherDescriptions) {
  const Scratch scratch;
  scratch.file("lock", "");
  Fd first = *open(scratch.dir(), "lock", O_RDONLY);
  const Fd second = *open(scratch.dir(), "lock", O_RDONLY);
  EXPECT_TRUE(*lock(first, Lock::shared));
  EXPECT_TRUE(*lock(second, Lock::shared, Wait::no));
  EXPECT_FALSE(*lock(second, Lock::exclusive, Wait::no));
  first.close();
  EXPECT_TRUE(*lock(second, Lock::exclusive, Wait::no));
}

}  // namespace

}  // namespace umbel::sys
