// The narrative: cut the mount namespace off from the host's, get a root, fill it, close what is to
// be closed, and make it the root.
//
// The old tree is made a slave first: what is unmounted with it would otherwise be unmounted on the
// host as well. The new root is attached onto the old one ("/" is looked up from the process's
// root, so it is not seen there yet), which pivot_root(2) wants of a new root; and it is private
// while it is filled, so that no mount in it shows up in its host directory.
#include <linux/magic.h>
#include <linux/mount.h>
#include <sys/sysmacros.h>

#include <cerrno>

#include "rootfs/build.h"
#include "sys/credentials.h"
#include "sys/file.h"
#include "sys/mount.h"

namespace umbel::rootfs {

namespace {

constexpr unsigned first_pts_major = 136, last_pts_major = 143;

// As with the sources of binds: in a new user namespace a copy of the child's own is the better
// one.
Result<Fd> given_root(Build& build) {
  Fd& fetched = build.prepared.root;
  if (!fetched || build.rights.user_new) {
    Result<Fd> own = sys::clone_tree(cwd, build.spec.root.path + "/.", sys::Depth::recursive);
    if (!own && !fetched) return own;
    if (own) fetched = *std::move(own);
  }
  const std::uint64_t meanwhile = build.propagation.flag == MS_SLAVE ? MS_SLAVE : MS_PRIVATE;
  TRY(sys::set_attributes(fetched, sys::Depth::recursive, {.propagation = meanwhile}));
  // Hooks look for the container's root where the configuration says that it is.
  if (!build.seen_by_hooks || !sys::attach_at(fetched, cwd, build.spec.root.path))
    TRY(sys::attach_at(fetched, cwd, "/"));
  return std::move(fetched);
}

Result<void> make_read_only(Build& build) {
  const sys::MountAttributes wanted{.set = MOUNT_ATTR_RDONLY};
  for (const Fd& mount : build.read_only_later)
    TRY(sys::set_attributes(mount, sys::Depth::one, wanted));
  if (!build.spec.root.read_only) return {};
  for (const Fd& layer : build.layers) TRY(sys::set_attributes(layer, sys::Depth::one, wanted));
  return sys::set_attributes(build.root, sys::Depth::one, wanted);
}

// At "/" it must lie, where processes that join the namespace look for their root; ELOOP says that
// it does.
Result<void> enter_above(const Build& build) {
  Result<void> moved = sys::attach_at(build.root, cwd, "/");
  if (!moved && moved.error().code != ELOOP) return moved;
  return sys::change_root(build.root);
}

Result<void> enter(const Build& build) {
  if (build.spec.root.no_pivot) return enter_above(build);
  Result<void> entered =
      build.hidden ? sys::pivot_root_above(build.hidden, build.root) : sys::pivot_root(build.root);
  // pivot_root(2) cannot move the kernel's first root.
  if (entered || entered.error().code != EINVAL) return entered;
  return advise("run umbel on a mounted root file system, not on the initramfs itself",
                std::move(entered));
}

// Slave and private it has been since it was made; pivot_root(2) takes no shared root.
Result<void> set_propagation(const Build& build) {
  const std::uint64_t flag = build.propagation.flag;
  if (flag != MS_SHARED && flag != MS_UNBINDABLE) return {};
  return sys::set_attributes(build.root, build.propagation.depth, {.propagation = flag});
}

}  // namespace

Result<void> settle(Build& build) {
  const auto once = std::exchange(build.settle, {});
  return once ? once() : Result<void>();
}

Result<Built> build(const Spec& spec, Prepared prepared, const Rights& rights,
                    const Moments& moments) {
  const Propagation asked = TRY(propagation(spec.root.propagation));
  Build build{
      .spec = spec, .prepared = std::move(prepared), .rights = rights, .propagation = asked};
  build.seen_by_hooks = static_cast<bool>(moments.filled);
  build.settle = moments.settle;
  const mode_t mask = sys::set_umask(0);
  TRY(during("cutting the mount namespace off from the host's",
             sys::set_attributes_at(cwd, "/", sys::Depth::recursive, {.propagation = MS_SLAVE})));
  if (spec.root.path.empty())
    TRY(stack_overlay(build));
  else
    build.root = TRY(during("opening the root file system " + spec.root.path, given_root(build)));
  TRY(mount_all(build));
  TRY(make_devices(build));
  TRY(restrict_paths(build));
  TRY(settle(build));
  if (moments.filled) TRY(moments.filled());
  TRY(during("making the root and its mounts read-only", make_read_only(build)));
  TRY(during("entering the new root", enter(build)));
  TRY(during("setting the root's propagation", set_propagation(build)));
  sys::set_umask(mask);
  return Built{std::move(build.root), std::move(build.notes)};
}

Result<void> bind_console(FdRef root, const std::string& pts) {
  const auto bound = [&]() -> Result<void> {
    const std::string path = clean_path(pts).substr(1);
    const Fd terminal = TRY(sys::open_beneath(root, path, O_PATH));
    const struct statfs system = TRY(sys::file_system(terminal));
    const struct stat found = TRY(sys::status(terminal));
    const unsigned number = major(found.st_rdev);
    if (system.f_type != DEVPTS_SUPER_MAGIC || !S_ISCHR(found.st_mode) ||
        number < first_pts_major || number > last_pts_major)
      return fail(pts + " is not a terminal of a devpts file system");
    const Fd copy = TRY(sys::clone_tree(terminal, "", sys::Depth::one));
    const Fd place = TRY(open_or_make(root, "/dev/console", Shape::file, Links::none));
    return sys::attach(copy, place);
  }();
  return during("putting the terminal at /dev/console", bound);
}

}  // namespace umbel::rootfs
