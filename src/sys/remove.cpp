// Removing a tree that a container has filled. Directories are opened one name at a time by openat2
// with RESOLVE_NO_XDEV and O_NOFOLLOW, so that whatever the container swaps meanwhile, nothing
// outside the tree is touched.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

#include "sys/call.h"
#include "sys/file.h"

namespace umbel::sys {

namespace {

// One tree on its way out. A container may have nested its directories as deep as it liked, so what
// lies below a certain depth is moved up to the top and goes from there: few descriptors, little
// stack.
class Removal {
 public:
  Removal(FdRef parent, const std::string& name) : parent_(parent), name_(name) {}

  Result<void> run() {
    const bool was_file = TRY(removed_as_file(parent_, name_));
    if (was_file) return {};
    const Fd top = TRY(open_below(parent_, name_));
    top_ = top.number();
    do {
      moved_up_ = false;
      TRY(during("removing " + name_, empty(top, 0)));
    } while (moved_up_);
    return remove_directory(parent_, name_);
  }

 private:
  static constexpr int deepest = 64;

  // False for a directory.
  static Result<bool> removed_as_file(FdRef dir, const std::string& name) {
    if (::unlinkat(dir.number(), name.c_str(), 0) == 0) return true;
    if (errno == EISDIR) return false;
    Error error = last_error("unlink", name);
    // EPERM is what POSIX has for directories, and also what an immutable file answers.
    struct stat found{};
    if (error.code == EPERM &&
        ::fstatat(dir.number(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISDIR(found.st_mode))
      return false;
    return Failure(std::move(error));
  }

  static Result<Fd> open_below(FdRef dir, const std::string& name) {
    open_how how{};
    how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    how.resolve = RESOLVE_NO_XDEV | RESOLVE_BENEATH;
    const long fd = ::syscall(SYS_openat2, dir.number(), name.c_str(), &how, sizeof how);
    if (fd >= 0) return Fd(static_cast<int>(fd));
    Error error = last_error("openat2", name);
    if (error.code == EXDEV) error.cure = "unmount what is mounted on " + name + " first";
    return Failure(std::move(error));
  }

  Result<void> empty(FdRef dir, int depth) {
    for (const std::string& name : TRY(list(dir, "."))) {
      const bool was_file = TRY(removed_as_file(dir, name));
      if (was_file) continue;
      if (depth == deepest) {
        TRY(move_up(dir, name));
        continue;
      }
      {
        const Fd below = TRY(open_below(dir, name));
        TRY(during(name, empty(below, depth + 1)));
      }
      TRY(remove_directory(dir, name));
    }
    return {};
  }

  Result<void> move_up(FdRef dir, const std::string& name) {
    for (;; ++counter_) {
      const std::string free_name = ".umbel-removed-" + std::to_string(counter_);
      if (::renameat2(dir.number(), name.c_str(), top_, free_name.c_str(), RENAME_NOREPLACE) == 0) {
        moved_up_ = true;
        return {};
      }
      if (errno != EEXIST) return Failure(last_error("rename", name));
    }
  }

  FdRef parent_;
  const std::string& name_;
  int top_ = -1;
  bool moved_up_ = false;
  std::uint64_t counter_ = 0;
};

}  // namespace

Result<void> remove_tree(FdRef dir, const std::string& path) {
  std::string whole = path;
  while (whole.size() > 1 && whole.ends_with('/')) whole.pop_back();
  const std::size_t slash = whole.rfind('/');
  if (slash == std::string::npos) return Removal(dir, whole).run();
  const std::string name = whole.substr(slash + 1);
  const Fd parent = TRY(open(dir, slash == 0 ? "/" : whole.substr(0, slash), O_PATH | O_DIRECTORY));
  return Removal(parent, name).run();
}

}  // namespace umbel::sys
