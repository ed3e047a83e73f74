// A mount is made detached (fsopen, open_tree), configured through its descriptor and only then put
// in its place, so no half-made mount is ever seen and no path is looked up twice. fsconfig
// explains a refused option in messages that are read from the context; they go into the error.
#include "sys/mount.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "sys/call.h"

// <sys/mount.h> of glibc 2.36 and <linux/mount.h> clash; these two are all that is needed of it.
extern "C" int umount2(const char*, int) noexcept;
#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif

namespace umbel::sys {

Result<FileSystem> FileSystem::open(const std::string& type) {
  const long fd = ::syscall(SYS_fsopen, type.c_str(), FSOPEN_CLOEXEC);
  if (fd < 0) return Failure(last_error("fsopen", type));
  return FileSystem(Fd(static_cast<int>(fd)), type);
}

Error FileSystem::explained(Error error, const std::string& on) const {
  std::array<char, 512> text{};
  std::string why;
  for (;;) {
    const ssize_t length = ::read(context_.number(), text.data(), text.size());
    if (length <= 0) break;
    std::string_view line(text.data(), static_cast<std::size_t>(length));
    if (line.size() > 2 && line[1] == ' ') line.remove_prefix(2);  // "e " error, "w " warning
    while (line.ends_with('\n')) line.remove_suffix(1);
    why += (why.empty() ? "" : "; ") + std::string(line);
  }
  error.call += " " + type_ + (on.empty() ? "" : " " + on) + (why.empty() ? "" : " (" + why + ")");
  return error;
}

Result<void> FileSystem::flag(const std::string& key) {
  if (::syscall(SYS_fsconfig, context_.number(), FSCONFIG_SET_FLAG, key.c_str(), nullptr, 0) < 0)
    return Failure(explained(last_error("fsconfig"), key));
  return {};
}

Result<void> FileSystem::set(const std::string& key, const std::string& value) {
  if (::syscall(SYS_fsconfig, context_.number(), FSCONFIG_SET_STRING, key.c_str(), value.c_str(),
                0) < 0)
    return Failure(explained(last_error("fsconfig"), key + "=" + value));
  return {};
}

Result<void> FileSystem::set(const std::string& key, FdRef fd) {
  if (::syscall(SYS_fsconfig, context_.number(), FSCONFIG_SET_FD, key.c_str(), nullptr,
                fd.number()) < 0)
    return Failure(explained(last_error("fsconfig"), key));
  return {};
}

Result<Fd> FileSystem::mount(std::uint64_t attributes) {
  if (::syscall(SYS_fsconfig, context_.number(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
    return Failure(explained(last_error("fsconfig"), "create"));
  const long fd = ::syscall(SYS_fsmount, context_.number(), FSMOUNT_CLOEXEC, attributes);
  if (fd < 0) return Failure(explained(last_error("fsmount"), ""));
  return Fd(static_cast<int>(fd));
}

Result<Fd> clone_tree(FdRef dir, const std::string& path, Depth depth) {
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (path.empty() ? AT_EMPTY_PATH : 0U) |
                         (depth == Depth::recursive ? AT_RECURSIVE : 0U);
  const long fd = ::syscall(SYS_open_tree, dir.number(), path.c_str(), flags);
  if (fd < 0) return Failure(last_error("open_tree", path));
  return Fd(static_cast<int>(fd));
}

Result<void> set_attributes(FdRef fd, Depth depth, const MountAttributes& attributes) {
  return set_attributes_at(fd, "", depth, attributes);
}

Result<void> set_attributes_at(FdRef dir, const std::string& path, Depth depth,
                               const MountAttributes& attributes) {
  mount_attr how{};
  how.attr_set = attributes.set;
  how.attr_clr = attributes.clear;
  how.propagation = attributes.propagation;
  if (attributes.id_map) how.userns_fd = static_cast<std::uint64_t>(attributes.id_map->number());
  const unsigned flags =
      (path.empty() ? AT_EMPTY_PATH : 0U) | (depth == Depth::recursive ? AT_RECURSIVE : 0U);
  return checked(::syscall(SYS_mount_setattr, dir.number(), path.c_str(), flags, &how, sizeof how),
                 "mount_setattr", path);
}

Result<void> attach(FdRef mount, FdRef onto) { return attach_at(mount, onto, ""); }

Result<void> attach_at(FdRef mount, FdRef dir, const std::string& path) {
  const unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (path.empty() ? MOVE_MOUNT_T_EMPTY_PATH : 0U);
  return checked(::syscall(SYS_move_mount, mount.number(), "", dir.number(), path.c_str(), flags),
                 "move_mount", path);
}

Result<void> pivot_root(FdRef root) {
  TRY(change_directory(root));
  // pivot_root(2): with both paths the same, the old root is stacked on the new one, and unmounting
  // what is on top leaves the new.
  TRY(checked(::syscall(SYS_pivot_root, ".", "."), "pivot_root"));
  TRY(unmount(".", MNT_DETACH));
  return checked(::chdir("/"), "chdir", "/");
}

Result<void> pivot_root_above(FdRef bottom, FdRef root) {
  TRY(change_directory(bottom));
  // The kernel puts the old root onto the topmost mount at the second path, which is `root`. This
  // process's root becomes `bottom`; chroot lifts it to where a new process of this namespace is.
  TRY(checked(::syscall(SYS_pivot_root, ".", "."), "pivot_root"));
  TRY(change_root(root));
  TRY(unmount(".", MNT_DETACH));
  return checked(::chdir("/"), "chdir", "/");
}

Result<void> unmount(const std::string& path, int flags) {
  return checked(::umount2(path.c_str(), flags), "umount", path);
}

Result<void> change_root(FdRef root) {
  TRY(change_directory(root));
  return checked(::chroot("."), "chroot");
}

Result<void> change_directory(FdRef dir) { return checked(::fchdir(dir.number()), "fchdir"); }

Result<std::uint64_t> mount_birth(const std::string& path) {
  constexpr unsigned unique = 0x4000;  // newer than the C library's headers
  struct statx found{};
  TRY(checked(
      ::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, unique, &found),
      "statx", path));
  if ((found.stx_mask & unique) == 0) return Failure(Error{.code = EOPNOTSUPP, .call = "statx"});
  return found.stx_mnt_id;
}

}  // namespace umbel::sys
