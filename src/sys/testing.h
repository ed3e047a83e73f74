// For tests only: a directory that goes away, and children in which checks count.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include <string>

#include "sys/file.h"
#include "sys/namespace.h"
#include "sys/process.h"

namespace umbel::sys {

// "" or the error: EXPECT_EQ(why_not(result), "") shows what went wrong.
template <class T>
std::string why_not(const Result<T>& result) {
  return result ? "" : result.error().message();
}

class Scratch {
 public:
  Scratch() {
    path_ = "/tmp/umbel-test.XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "mkdtemp " << path_;
    dir_ = std::move(*open(cwd, path_, O_RDONLY | O_DIRECTORY));
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { EXPECT_EQ(why_not(remove_tree(cwd, path_)), ""); }

  const std::string& path() const { return path_; }
  std::string path(const std::string& name) const { return path_ + "/" + name; }
  // In the mount namespace that it was made in: below in_child(CLONE_NEWNS) use path().
  FdRef dir() const { return dir_; }
  void file(const std::string& name, std::string_view content) const {
    const Result<Fd> fd = open(dir_, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ASSERT_EQ(why_not(fd), "");
    ASSERT_EQ(why_not(write_all(*fd, content)), "");
  }

 private:
  std::string path_;
  Fd dir_;
};

// Runs `body` in a child made with these CLONE_* flags; a failed check in it fails the test. In a
// mount namespace of its own nothing that it mounts is seen outside.
template <class Body>
void in_child(std::uint64_t flags, Body&& body) {
  Result<Process> child = start({.flags = flags}, [&]() -> int {
    if ((flags & CLONE_NEWNS) != 0) ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    body();
    return testing::Test::HasFailure() ? 1 : 0;
  });
  ASSERT_EQ(why_not(child), "");
  const Result<Exit> ended = child->wait();
  ASSERT_EQ(why_not(ended), "");
  EXPECT_EQ(ended->code(), 0) << "see the child's output above";
}

inline bool is_root() { return ::geteuid() == 0; }

}  // namespace umbel::sys

#define UMBEL_NEEDS_ROOT() \
  if (!::umbel::sys::is_root()) GTEST_SKIP() << "needs root"
