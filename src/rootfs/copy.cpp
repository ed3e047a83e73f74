// A copy of a directory's content by descriptor: no name is followed, so what is in the tree can
// neither lead out of it nor into it. Owners before modes, since chown(2) clears set-id bits; times
// of a directory last, since filling it changes them.
#include <fcntl.h>

#include "rootfs/build.h"
#include "sys/file.h"
#include "sys/inode.h"

namespace umbel::rootfs {

namespace {

Result<void> copy_entry(FdRef from, FdRef to, const std::string& name, dev_t device);

Result<void> copy_content(FdRef from, FdRef to, dev_t device) {
  for (const std::string& name : TRY(sys::list(from, ".")))
    TRY(during(name, copy_entry(from, to, name, device)));
  return {};
}

Result<void> make_like(FdRef from, FdRef to, const std::string& name, const struct stat& like) {
  if (S_ISLNK(like.st_mode)) return sys::symlink(TRY(sys::readlink(from, name)), to, name);
  if (S_ISDIR(like.st_mode)) return sys::make_directory(to, name, 0700);
  if (!S_ISREG(like.st_mode)) return sys::make_node(to, name, like.st_mode, like.st_rdev);
  const Fd source = TRY(sys::open_beneath(from, name, O_RDONLY | O_NONBLOCK));
  const Fd copy = TRY(sys::open(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  return sys::copy_contents(source, copy);
}

Result<void> copy_entry(FdRef from, FdRef to, const std::string& name, dev_t device) {
  const struct stat like = TRY(sys::status_at(from, name));
  TRY(make_like(from, to, name, like));
  if (S_ISDIR(like.st_mode) && like.st_dev == device) {
    const Fd source = TRY(sys::open_beneath(from, name, O_RDONLY | O_DIRECTORY));
    const Fd copy = TRY(sys::open_beneath(to, name, O_RDONLY | O_DIRECTORY));
    TRY(copy_content(source, copy, device));
  }
  if (like.st_uid != 0 || like.st_gid != 0)
    TRY(sys::change_owner_at(to, name, like.st_uid, like.st_gid));
  if (!S_ISLNK(like.st_mode)) TRY(sys::change_mode(to, name, like.st_mode & 07777));
  return sys::set_times_at(to, name, like);
}

}  // namespace

Result<void> copy_tree(FdRef from, FdRef to) {
  const Fd source = TRY(sys::open(from, ".", O_RDONLY | O_DIRECTORY));
  const struct stat like = TRY(sys::status(source));
  TRY(copy_content(source, to, like.st_dev));
  if (like.st_uid != 0 || like.st_gid != 0)
    TRY(sys::change_owner_at(to, ".", like.st_uid, like.st_gid));
  return sys::change_mode(to, ".", like.st_mode & 07777);
}

}  // namespace umbel::rootfs
