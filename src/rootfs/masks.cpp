// Masked paths get something empty on top of them, read-only paths a read-only copy of themselves.
// Paths below /proc and /sys are opened from the descriptors of the file systems that were verified
// there; in procfs no link is followed, since links there lead into processes. A path that does not
// exist needs no protection and is passed over; any other failure is an error, so that nothing
// stays open silently.
//
// Empty files are the host's /dev/null, opened before the container's root can hold any other and
// seen to be the device 1:3. Empty directories are copies of one read-only tmpfs.
#include <linux/mount.h>
#include <sys/sysmacros.h>

#include "rootfs/build.h"
#include "sys/file.h"
#include "sys/mount.h"

namespace umbel::rootfs {

namespace {

Result<Fd> open_guarded(const Build& build, const std::string& path) {
  if (build.proc && within(path, "/proc"))
    return sys::open_beneath(*build.proc, path == "/proc" ? "." : path.substr(6), O_PATH);
  // Links in sysfs are the kernel's own and stay in it.
  if (build.sysfs && within(path, "/sys"))
    return sys::open_in_root(*build.sysfs, path == "/sys" ? "." : path.substr(5), O_PATH);
  return sys::open_in_root(build.root, path, O_PATH);
}

// Nothing where there is nothing to guard.
Result<std::optional<Fd>> open_if_there(const Build& build, const std::string& path) {
  Result<Fd> found = open_guarded(build, path);
  if (found) return std::optional(*std::move(found));
  if (found.error().code == ENOENT || found.error().code == ENOTDIR) return std::nullopt;
  return Failure(found.error());
}

class Empty {
 public:
  Result<void> cover(FdRef place) {
    const Shape shape = TRY(shape_of(place));
    return shape == Shape::file ? cover_file(place) : cover_directory(place);
  }

 private:
  Result<void> cover_file(FdRef place) {
    if (!null_) null_ = TRY(open_host_device({.path = "/dev/null", .major = 1, .minor = 3}));
    const Fd copy = TRY(sys::clone_tree(null_, "", sys::Depth::one));
    return sys::attach(copy, place);
  }

  // The first is attached itself: before Linux 6.15 only an attached mount can be copied.
  Result<void> cover_directory(FdRef place) {
    if (directory_) {
      const Fd copy = TRY(sys::clone_tree(directory_, "", sys::Depth::one));
      return sys::attach(copy, place);
    }
    sys::FileSystem made = TRY(sys::FileSystem::open("tmpfs"));
    TRY(made.set("source", "tmpfs"));
    TRY(made.set("mode", "555"));
    directory_ = TRY(
        made.mount(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
    return sys::attach(directory_, place);
  }

  Fd null_, directory_;
};

Result<void> make_read_only(FdRef place) {
  const Fd copy = TRY(sys::clone_tree(place, "", sys::Depth::recursive));
  TRY(sys::set_attributes(copy, sys::Depth::recursive,
                          {.set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE}));
  return sys::attach(copy, place);
}

}  // namespace

Result<void> restrict_paths(Build& build) {
  for (const std::string& path : build.spec.read_only) {
    const std::optional<Fd> place =
        TRY(during("making " + path + " read-only", open_if_there(build, clean_path(path))));
    if (place) TRY(during("making " + path + " read-only", make_read_only(*place)));
  }
  Empty empty;
  for (const std::string& path : build.spec.masked) {
    const std::optional<Fd> place =
        TRY(during("masking " + path, open_if_there(build, clean_path(path))));
    if (place) TRY(during("masking " + path, empty.cover(*place)));
  }
  return {};
}

}  // namespace umbel::rootfs
