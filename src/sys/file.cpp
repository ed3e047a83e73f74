// Everything starts at a directory descriptor. Where a container may have put symbolic links,
// openat2 (Linux 5.6) resolves the path in one go inside the kernel, so there is no moment between
// looking and using.
#include "sys/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "sys/call.h"
#include "sys/procfs.h"

namespace umbel::sys {

namespace {

Result<Fd> opened(long answer, std::string_view call, const std::string& path) {
  if (answer < 0) return Failure(last_error(call, path));
  return Fd(static_cast<int>(answer));
}

Result<Fd> openat2(FdRef dir, const std::string& path, int flags, mode_t mode,
                   std::uint64_t resolve) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
  how.mode = mode;
  how.resolve = resolve;
  // EAGAIN: something was renamed meanwhile and the kernel could not tell whether ".." stayed
  // inside.
  for (int tries = 0;; ++tries) {
    const long answer = ::syscall(SYS_openat2, dir.number(), path.c_str(), &how, sizeof how);
    if (answer >= 0 || errno != EAGAIN || tries == 64) return opened(answer, "openat2", path);
  }
}

std::string self_fd(FdRef fd) { return proc_path("self/fd/" + std::to_string(fd.number())); }

}  // namespace

Result<Fd> open(FdRef dir, const std::string& path, int flags, mode_t mode) {
  return opened(
      retried([&] { return ::openat(dir.number(), path.c_str(), flags | O_CLOEXEC, mode); }),
      "open", path);
}

Result<Fd> open_in_root(FdRef root, const std::string& path, int flags, mode_t mode) {
  return openat2(root, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

Result<Fd> open_beneath(FdRef dir, const std::string& path, int flags, mode_t mode) {
  return openat2(dir, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

Result<Fd> reopen(FdRef fd, int flags) { return open(cwd, self_fd(fd), flags); }

Result<std::size_t> read(FdRef fd, std::span<char> into) {
  const ssize_t count = retried([&] { return ::read(fd.number(), into.data(), into.size()); });
  if (count < 0) return Failure(last_error("read"));
  return static_cast<std::size_t>(count);
}

Result<std::size_t> write(FdRef fd, std::string_view data) {
  const ssize_t count = retried([&] { return ::write(fd.number(), data.data(), data.size()); });
  if (count < 0) return Failure(last_error("write"));
  return static_cast<std::size_t>(count);
}

Result<void> write_all(FdRef fd, std::string_view data) {
  while (!data.empty()) {
    const std::size_t count = TRY(write(fd, data));
    data.remove_prefix(count);
  }
  return {};
}

Result<std::string> read_all(FdRef fd, std::size_t limit) {
  // By way of the stack: a string would have to be filled with zeros first.
  std::string text;
  std::array<char, std::size_t{1} << 14> piece;  // NOLINT(*-member-init)
  for (;;) {
    const std::size_t count = TRY(read(fd, piece));
    text.append(piece.data(), count);
    if (count == 0 || text.size() >= limit) break;
  }
  if (text.size() > limit) text.resize(limit);
  return text;
}

Result<std::string> read_file(FdRef dir, const std::string& path) {
  const Fd fd = TRY(open(dir, path, O_RDONLY));
  return during(path, read_all(fd));
}

Result<void> write_file(FdRef dir, const std::string& path, std::string_view data) {
  const Fd fd = TRY(open(dir, path, O_WRONLY));
  const ssize_t count = retried([&] { return ::write(fd.number(), data.data(), data.size()); });
  return checked(count, "write", path);
}

Result<void> replace_file(FdRef dir, const std::string& name, std::string_view data, mode_t mode) {
  // A name of its own for every writer: two at once must not write into the same file.
  std::string temporary;
  Result<Fd> fd = fail("not tried");
  do {
    std::uint32_t random = 0;
    TRY(checked(::getrandom(&random, sizeof random, 0), "getrandom"));
    temporary = "." + name + "." + std::to_string(random) + ".new";
    fd = open(dir, temporary, O_WRONLY | O_CREAT | O_EXCL, mode);
  } while (!fd && fd.error().code == EEXIST);
  if (!fd) return Failure(std::move(fd).error());
  Result<void> replaced = during("writing " + name, write_all(*fd, data));
  if (replaced) replaced = rename(dir, temporary, dir, name);
  if (!replaced) ::unlinkat(dir.number(), temporary.c_str(), 0);
  return replaced;
}

Result<struct stat> status(FdRef fd) {
  struct stat found{};
  TRY(checked(::fstat(fd.number(), &found), "fstat"));
  return found;
}

Result<struct stat> status_at(FdRef dir, const std::string& path) {
  struct stat found{};
  TRY(checked(::fstatat(dir.number(), path.c_str(), &found, AT_SYMLINK_NOFOLLOW), "stat", path));
  return found;
}

Result<struct stat> status_behind(FdRef dir, const std::string& path) {
  struct stat found{};
  TRY(checked(::fstatat(dir.number(), path.c_str(), &found, 0), "stat", path));
  return found;
}

Result<struct statfs> file_system(FdRef fd) {
  struct statfs found{};
  TRY(checked(::fstatfs(fd.number(), &found), "fstatfs"));
  return found;
}

bool exists(FdRef dir, const std::string& path) {
  struct stat found{};
  return ::fstatat(dir.number(), path.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<Identity> identity(FdRef fd) {
  const struct stat found = TRY(status(fd));
  return Identity{found.st_dev, found.st_ino};
}

Result<void> make_directory(FdRef dir, const std::string& path, mode_t mode) {
  return checked(::mkdirat(dir.number(), path.c_str(), mode), "mkdir", path);
}

Result<void> make_directories(const std::string& path, mode_t mode) {
  struct stat made{};
  // Nearly always it is there.
  if (::stat(path.c_str(), &made) == 0 && S_ISDIR(made.st_mode)) return {};
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), mode) < 0 && errno != EEXIST)
      return Failure(last_error("mkdir", part));
    if (end == std::string::npos) break;
  }
  // EEXIST is also the answer for something that is no directory.
  TRY(checked(::stat(path.c_str(), &made), "stat", path));
  if (!S_ISDIR(made.st_mode)) return fail_with(ENOTDIR, path + " is no directory");
  return {};
}

Result<void> remove_file(FdRef dir, const std::string& path) {
  return checked(::unlinkat(dir.number(), path.c_str(), 0), "unlink", path);
}

Result<void> remove_directory(FdRef dir, const std::string& path) {
  return checked(::unlinkat(dir.number(), path.c_str(), AT_REMOVEDIR), "rmdir", path);
}

Result<void> rename(FdRef from_dir, const std::string& from, FdRef to_dir, const std::string& to) {
  return checked(::renameat(from_dir.number(), from.c_str(), to_dir.number(), to.c_str()), "rename",
                 from + " to " + to);
}

Result<void> symlink(const std::string& target, FdRef dir, const std::string& path) {
  return checked(::symlinkat(target.c_str(), dir.number(), path.c_str()), "symlink", path);
}

Result<std::string> readlink(FdRef dir, const std::string& path) {
  std::string target(4096, '\0');
  const ssize_t length = ::readlinkat(dir.number(), path.c_str(), target.data(), target.size());
  if (length < 0) return Failure(last_error("readlink", path));
  target.resize(static_cast<std::size_t>(length));
  return target;
}

Result<std::string> path_of(FdRef fd) { return readlink(cwd, self_fd(fd)); }

Result<std::string> working_directory() {
  std::string path(4096, '\0');
  // The system call itself: glibc's getcwd would turn "(unreachable)..." into ENOENT.
  const long length = ::syscall(SYS_getcwd, path.data(), path.size());
  if (length < 0) return Failure(last_error("getcwd"));
  path.resize(static_cast<std::size_t>(length) - 1);
  return path;
}

Result<void> make_node(FdRef dir, const std::string& path, mode_t mode, dev_t device) {
  return checked(::mknodat(dir.number(), path.c_str(), mode, device), "mknod", path);
}

Result<void> change_owner(FdRef fd, uid_t uid, gid_t gid) {
  return checked(::fchownat(fd.number(), "", uid, gid, AT_EMPTY_PATH), "chown");
}

Result<void> change_mode(FdRef dir, const std::string& path, mode_t mode) {
  return checked(::fchmodat(dir.number(), path.c_str(), mode, 0), "chmod", path);
}

Result<std::vector<std::string>> list(FdRef dir, const std::string& path) {
  // A directory that is open already is read through what is open: to look up even "." in it takes
  // the permission to search it, which a directory of mode 0600 gives to nobody.
  const int flags = path == "." ? ::fcntl(dir.number(), F_GETFL) : -1;
  const bool readable = flags >= 0 && (flags & O_PATH) == 0;
  Fd fd = TRY(readable ? duplicate(dir) : open(dir, path, O_RDONLY | O_DIRECTORY));
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd.number()), ::closedir);
  if (!stream) return Failure(last_error("opendir", path));
  (void)fd.release();         // closedir closes it
  ::rewinddir(stream.get());  // a copy stands where the other one stood
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0) return Failure(last_error("readdir", path));
    if (entry == nullptr) return names;
    const std::string_view name(&entry->d_name[0]);
    if (name != "." && name != "..") names.emplace_back(name);
  }
}

Result<Fd> duplicate(FdRef fd) {
  return opened(::fcntl(fd.number(), F_DUPFD_CLOEXEC, 3), "fcntl", "F_DUPFD_CLOEXEC");
}

Result<void> install(FdRef fd, int number) {
  // dup2 of a descriptor onto itself would keep O_CLOEXEC.
  if (fd.number() == number) return set_close_on_exec(fd, false);
  return checked(::dup2(fd.number(), number), "dup2");
}

Result<void> set_close_on_exec(FdRef fd, bool on) {
  return checked(::fcntl(fd.number(), F_SETFD, on ? FD_CLOEXEC : 0), "fcntl", "F_SETFD");
}

Result<void> set_nonblocking(FdRef fd, bool on) {
  const int flags = TRY(checked_int(::fcntl(fd.number(), F_GETFL), "fcntl", "F_GETFL"));
  return checked(::fcntl(fd.number(), F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK),
                 "fcntl", "F_SETFL");
}

Result<void> close_from(unsigned first) {
  return checked(::syscall(SYS_close_range, first, ~0U, 0), "close_range");
}

Result<void> close_from_on_exec(unsigned first) {
  return checked(::syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC), "close_range");
}

Result<void> close_all_but(unsigned first, std::span<const FdRef> keep) {
  std::vector<unsigned> kept;
  for (const FdRef fd : keep)
    if (fd && static_cast<unsigned>(fd.number()) >= first)
      kept.push_back(static_cast<unsigned>(fd.number()));
  std::ranges::sort(kept);
  for (const unsigned number : kept) {
    if (number > first)
      TRY(checked(::syscall(SYS_close_range, first, number - 1, 0), "close_range"));
    first = number + 1;
  }
  return close_from(first);
}

Result<Pipe> pipe(int flags) {
  std::array<int, 2> ends{};
  TRY(checked(::pipe2(ends.data(), flags | O_CLOEXEC), "pipe"));
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

Result<Fd> memory_file(const std::string& name) {
  return opened(::memfd_create(name.c_str(), MFD_CLOEXEC), "memfd_create", name);
}

Result<bool> lock(FdRef fd, Lock kind, Wait wait) {
  const int operation =
      (kind == Lock::shared ? LOCK_SH : LOCK_EX) | (wait == Wait::no ? LOCK_NB : 0);
  if (retried([&] { return ::flock(fd.number(), operation); }) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return Failure(last_error("flock"));
}

}  // namespace umbel::sys
