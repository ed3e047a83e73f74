// Files and directories, always relative to a directory descriptor, always O_CLOEXEC.
#pragma once

#include <sys/stat.h>
#include <sys/statfs.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

Result<Fd> open(FdRef dir, const std::string& path, int flags, mode_t mode = 0);
// As a process whose root is `root` would see `path`: symbolic links, also absolute ones, and ".."
// stay inside (RESOLVE_IN_ROOT), and magic links are refused. Linux 5.6.
Result<Fd> open_in_root(FdRef root, const std::string& path, int flags, mode_t mode = 0);
// Refuses a path with any symbolic link in it (RESOLVE_NO_SYMLINKS) or leaving `dir` (BENEATH).
Result<Fd> open_beneath(FdRef dir, const std::string& path, int flags, mode_t mode = 0);
// A new description of the file behind an O_PATH descriptor.
Result<Fd> reopen(FdRef fd, int flags);

Result<std::size_t> read(FdRef fd, std::span<char> into);
Result<std::size_t> write(FdRef fd, std::string_view data);
Result<void> write_all(FdRef fd, std::string_view data);
// Until end of file; at most `limit` bytes.
Result<std::string> read_all(FdRef fd, std::size_t limit = std::size_t{1} << 30);
Result<std::string> read_file(FdRef dir, const std::string& path);
// One write(2) to an existing file, as the files of /proc and of cgroups want it.
Result<void> write_file(FdRef dir, const std::string& path, std::string_view data);
// Readers see the old content or the new, never a part: temporary file, then rename. No fsync.
Result<void> replace_file(FdRef dir, const std::string& name, std::string_view data,
                          mode_t mode = 0644);

Result<struct stat> status(FdRef fd);
// Does not follow a symbolic link at the end.
Result<struct stat> status_at(FdRef dir, const std::string& path);
// Follows symbolic links, also the magic ones of /proc: of the open file behind /proc/PID/fd/N.
Result<struct stat> status_behind(FdRef dir, const std::string& path);
Result<struct statfs> file_system(FdRef fd);
bool exists(FdRef dir, const std::string& path);
// st_dev and st_ino: the identity of a file, and of a namespace.
struct Identity {
  std::uint64_t device = 0, inode = 0;
  friend auto operator<=>(const Identity&, const Identity&) = default;
};
Result<Identity> identity(FdRef fd);

Result<void> make_directory(FdRef dir, const std::string& path, mode_t mode);
// With every missing parent; one that exists is fine. Follows symbolic links: not for paths that a
// container controls.
Result<void> make_directories(const std::string& path, mode_t mode);
Result<void> remove_file(FdRef dir, const std::string& path);
Result<void> remove_directory(FdRef dir, const std::string& path);
// With all that is in it, never following a symbolic link at the end of the path or below it, or
// crossing into another mount. ENOENT where there is nothing.
Result<void> remove_tree(FdRef dir, const std::string& path);
Result<void> rename(FdRef from_dir, const std::string& from, FdRef to_dir, const std::string& to);
Result<void> symlink(const std::string& target, FdRef dir, const std::string& path);
Result<std::string> readlink(FdRef dir, const std::string& path);
Result<void> make_node(FdRef dir, const std::string& path, mode_t mode, dev_t device);
Result<void> change_owner(FdRef fd, uid_t uid, gid_t gid);
Result<void> change_mode(FdRef dir, const std::string& path, mode_t mode);
// As the kernel gives it: does not begin with "/" when it can't be reached from the root.
Result<std::string> working_directory();
// Where the file behind a descriptor is now, without symbolic links, as this process's root sees
// it.
Result<std::string> path_of(FdRef fd);
// Names without "." and "..", in directory order.
Result<std::vector<std::string>> list(FdRef dir, const std::string& path);

Result<Fd> duplicate(FdRef fd);
// Makes `fd` known as `number`, without O_CLOEXEC.
Result<void> install(FdRef fd, int number);
Result<void> set_close_on_exec(FdRef fd, bool on);
Result<void> set_nonblocking(FdRef fd, bool on);
// Closes every descriptor from `first` on, at once or when the process executes (Linux 5.11).
Result<void> close_from(unsigned first);
Result<void> close_from_on_exec(unsigned first);
// The same at once, but for those in `keep`.
Result<void> close_all_but(unsigned first, std::span<const FdRef> keep);

struct Pipe {
  Fd read, write;
};
Result<Pipe> pipe(int flags = 0);
Result<Fd> memory_file(const std::string& name);

// Exclusive flock(2); waits for it, or answers nullopt at once where `wait` is `no`.
enum class Wait { yes, no };
enum class Lock { shared, exclusive };
Result<bool> lock(FdRef fd, Lock kind, Wait wait = Wait::yes);

}  // namespace umbel::sys
