// Every mount is made detached, given its attributes, and attached to a place that was opened once
// (fsopen(2), open_tree(2), mount_setattr(2), move_mount(2)): at no moment does a path decide where
// a mount lands. What a place leads to is judged by its descriptor: nothing is mounted inside a
// procfs or sysfs that was reached through a link, and what ends up at /proc and /sys is looked at
// again when all is mounted, since everything that guards the host there depends on it.
//
// procfs, sysfs and mqueue show a namespace; making one needs CAP_SYS_ADMIN in the user namespace
// that owns it (and, in a user namespace, that the /proc or /sys seen there so far hides nothing).
// Where that is refused the host's own is bound instead.
#include <linux/magic.h>
#include <linux/mount.h>

#include <algorithm>
#include <array>

#include "rootfs/build.h"
#include "sys/file.h"
#include "sys/mount.h"

namespace umbel::rootfs {

namespace {

constexpr std::uint64_t proc_root_inode = 1;

constexpr std::uint64_t read_only = MOUNT_ATTR_RDONLY;

// A tmpfs is empty, so whatever is to be in it has yet to come.
bool is_filled(const Mount& mount) { return mount.type == "tmpfs"; }

struct Owned {
  std::string_view type, host;
  bool Rights::* owned;
};
constexpr std::array shown_namespaces = std::to_array<Owned>({
    {"proc", "/proc", &Rights::pid_owned},
    {"sysfs", "/sys", &Rights::net_owned},
    {"mqueue", "/dev/mqueue", &Rights::ipc_owned},
});

// Where a copy may not be freed of an attribute that the host locked, it keeps it.
Result<void> set_attributes(Build& build, FdRef tree, sys::Depth depth,
                            const sys::MountAttributes& wanted, const std::string& path) {
  if ((wanted.set | wanted.clear | wanted.propagation) == 0) return {};
  Result<void> outcome = sys::set_attributes(tree, depth, wanted);
  const std::uint64_t only_cleared = wanted.clear & ~std::uint64_t{MOUNT_ATTR__ATIME};
  if (outcome || outcome.error().code != EPERM || only_cleared == 0) return outcome;
  sys::MountAttributes kept = wanted;
  kept.clear &= MOUNT_ATTR__ATIME;
  TRY(sys::set_attributes(tree, depth, kept));
  build.notes.push_back(path + ": options of the host's mount, such as ro, could not be lifted");
  return {};
}

Result<void> set_attributes(Build& build, FdRef tree, const Plan& plan, Propagation propagation) {
  sys::MountAttributes top{.set = plan.top.set, .clear = plan.top.clear};
  sys::MountAttributes below{.set = plan.tree.set, .clear = plan.tree.clear};
  if (plan.depth == sys::Depth::one) {
    // One mount alone: what holds for the tree holds for it, and one call says everything.
    top.set |= below.set;
    top.clear |= below.clear;
    top.propagation = propagation.flag;
    return set_attributes(build, tree, sys::Depth::one, top, plan.destination);
  }
  (propagation.depth == sys::Depth::one ? top : below).propagation = propagation.flag;
  TRY(set_attributes(build, tree, sys::Depth::recursive, below, plan.destination));
  return set_attributes(build, tree, sys::Depth::one, top, plan.destination);
}

Result<Fd> host_copy(Build& build, const Owned& kind, const Plan& plan, std::string_view why) {
  const std::string path(kind.host);
  Fd tree =
      TRY(during("binding the host's " + path, sys::clone_tree(cwd, path, sys::Depth::recursive)));
  Plan bound = plan;
  bound.depth = sys::Depth::recursive;
  bound.top.clear = bound.tree.clear = 0;
  TRY(set_attributes(build, tree, bound, {MS_SLAVE, sys::Depth::recursive}));
  build.notes.push_back(plan.destination + " is the host's: " + std::string(why));
  return tree;
}

Result<void> configure(sys::FileSystem& made, const Mount& mount, const Plan& plan, Build& build) {
  if (!mount.source.empty()) TRY(made.set("source", mount.source));
  for (const Datum& datum : plan.data) {
    const Result<void> taken =
        datum.value ? made.set(datum.key, *datum.value) : made.flag(datum.key);
    if (taken) continue;
    // A group that has no number in this user namespace, as the terminals' group 5 of one user.
    if (mount.type == "devpts" && datum.key == "gid" && build.rights.user_new) {
      build.notes.push_back(plan.destination + ": terminals keep their owner's group, since gid " +
                            datum.value.value_or("") + " is not mapped");
      continue;
    }
    return advise(suggestion(datum.key), taken);
  }
  return {};
}

Result<Fd> new_file_system(Build& build, const Mount& mount, const Plan& plan) {
  sys::FileSystem made = TRY(advise("look up the types that this kernel has in /proc/filesystems",
                                    sys::FileSystem::open(mount.type)));
  TRY(configure(made, mount, plan, build));
  return made.mount((plan.top.set | plan.tree.set) & ~(is_filled(mount) ? read_only : 0));
}

Result<Fd> file_system(Build& build, const Mount& mount, const Plan& plan) {
  const auto* shown = std::ranges::find(shown_namespaces, mount.type, &Owned::type);
  const bool shows = shown != shown_namespaces.end();
  if (shows && !(build.rights.*shown->owned))
    return host_copy(build, *shown, plan, "the namespace that it shows is not the container's own");
  Result<Fd> made = new_file_system(build, mount, plan);
  if (!made && shows && made.error().code == EPERM)
    return host_copy(build, *shown, plan, "a new one was refused (" + made.error().message() + ")");
  if (made && plan.propagation.flag != 0)
    TRY(sys::set_attributes(*made, sys::Depth::one, {.propagation = plan.propagation.flag}));
  return made;
}

// In a new user namespace a copy made here keeps what the host set on its mounts (ro, nosuid)
// locked, so that root inside can't lift it; the launcher's copy serves where the path is closed to
// the container's root.
Result<Fd> bound(Build& build, std::size_t i, const Mount& mount, const Plan& plan) {
  Fd& fetched = build.prepared.sources[i];
  const bool mapped = plan.id_map != IdMap::none;
  if (mapped && !fetched)
    return fail("an id-mapped mount needs root outside of the container",
                "run umbel as root, or leave idmap out");
  if (!fetched || (build.rights.user_new && !mapped)) {
    Result<Fd> own = sys::clone_tree(cwd, mount.source, plan.depth);
    if (!own && !fetched) return during("opening its source " + mount.source, std::move(own));
    if (own) fetched = *std::move(own);
  }
  Propagation propagation = plan.propagation;
  if (propagation.flag == 0 && build.propagation.flag != MS_SHARED)
    propagation = {build.propagation.flag == MS_UNBINDABLE ? std::uint64_t{MS_PRIVATE}
                                                           : build.propagation.flag,
                   sys::Depth::recursive};
  TRY(set_attributes(build, fetched, plan, propagation));
  return std::move(fetched);
}

Result<void> remount(Build& build, const Plan& plan) {
  const Fd place = TRY(sys::open_in_root(build.root, plan.destination, O_PATH));
  return set_attributes(build, place, plan, plan.propagation);
}

// Nothing below a path that was mounted over is reached any more.
void covered(Build& build, std::string_view path) {
  std::erase_if(build.fresh, [&](const Build::Fresh& f) { return within(f.path, path); });
}

Result<void> mount_one(Build& build, std::size_t i) {
  const Mount& mount = build.spec.mounts[i];
  const Plan& plan = build.prepared.plans[i];
  if (plan.kind == Plan::Kind::remount) return remount(build, plan);
  if (plan.kind == Plan::Kind::cgroup) return mount_cgroups(build, mount, plan);
  if (plan.kind == Plan::Kind::bind) {
    const Fd tree = TRY(bound(build, i, mount, plan));
    const Shape shape = TRY(shape_of(tree));
    return attach_inside(build, tree, plan.destination, shape);
  }
  Fd made = TRY(file_system(build, mount, plan));
  if (is_filled(mount) && ((plan.top.set | plan.tree.set) & read_only) != 0) {
    Fd same = TRY(sys::duplicate(made));
    build.read_only_later.push_back(std::move(same));
  }
  if (plan.copy_up) {
    TRY(settle(build));
    const Fd place = TRY(open_destination(build, plan.destination, Shape::directory));
    TRY(during("copying what was there", copy_tree(place, made)));
    covered(build, plan.destination);
    return sys::attach(made, place);
  }
  TRY(attach_inside(build, made, plan.destination, Shape::directory));
  if (is_filled(mount)) build.fresh.push_back({plan.destination, std::move(made)});
  return {};
}

// The mount on top at /proc or /sys, if the spec asks for any: it must be what it says.
Result<std::optional<Fd>> verified(Build& build, const std::string& path, std::uint64_t magic) {
  const bool asked = std::ranges::any_of(build.prepared.plans, [&](const Plan& plan) {
    return plan.destination == path && plan.kind != Plan::Kind::remount;
  });
  if (!asked) return std::nullopt;
  Fd top = TRY(sys::open_beneath(build.root, path.substr(1), O_PATH | O_DIRECTORY));
  const struct statfs system = TRY(sys::file_system(top));
  const struct stat found = TRY(sys::status(top));
  const bool right = static_cast<std::uint64_t>(system.f_type) == magic &&
                     (magic != PROC_SUPER_MAGIC || found.st_ino == proc_root_inode);
  if (right) return top;
  if (magic == SYSFS_MAGIC)
    return std::nullopt;  // a tmpfs there guards nothing and exposes nothing
  return fail(path + " is covered by another file system, so that nothing in it could be protected",
              "take the mounts at " + path + " other than type proc out of the configuration");
}

}  // namespace

const Build::Fresh* Build::fresh_at(std::string_view path) const {
  const auto found = std::ranges::find(fresh, path, &Fresh::path);
  return found == fresh.end() ? nullptr : &*found;
}

Result<Shape> shape_of(FdRef file) {
  const struct stat found = TRY(sys::status(file));
  return S_ISDIR(found.st_mode) ? Shape::directory : Shape::file;
}

Result<Fd> open_destination(Build& build, const std::string& path, Shape shape) {
  // Below /proc and /sys links belong to processes (/proc/self), or would lead out of it.
  if (within(path, "/proc") || within(path, "/sys"))
    return open_or_make(build.root, path, shape, Links::none);
  Fd place = TRY(open_or_make(build.root, path, shape));
  const struct statfs system = TRY(sys::file_system(place));
  if (system.f_type == PROC_SUPER_MAGIC || system.f_type == SYSFS_MAGIC)
    return fail(path + " leads into /proc or /sys through a symbolic link",
                "remove that link from the root file system or the volume");
  return place;
}

Result<void> attach_inside(Build& build, FdRef mount, const std::string& path, Shape shape) {
  const std::size_t slash = path.find_last_of('/');
  if (const Build::Fresh* parent = build.fresh_at(path.substr(0, slash))) {
    const std::string name = path.substr(slash + 1);
    Result<void> made = [&]() -> Result<void> {
      if (shape == Shape::directory) return sys::make_directory(parent->directory, name, 0755);
      TRY(make_in(parent->directory, name, shape));
      return {};
    }();
    if (!made && made.error().code != EEXIST) return made;
    TRY(sys::attach_at(mount, parent->directory, name));
  } else {
    Result<Fd> place = open_destination(build, path, shape);
    if (!place && place.error().code == ENOTDIR && shape == Shape::directory)
      return during("a directory cannot be mounted on a file",
                    Result<void>(Failure(place.error())));
    const Fd found = TRY(std::move(place));
    const Result<void> attached = sys::attach(mount, found);
    if (!attached && shape == Shape::file) {
      const Shape there = TRY(shape_of(found));
      if (there == Shape::directory)
        return during("a file cannot be mounted on a directory", attached);
    }
    TRY(attached);
  }
  covered(build, path);
  return {};
}

Result<void> mount_all(Build& build) {
  for (std::size_t i = 0; i < build.spec.mounts.size(); ++i)
    TRY(during("mounting " + build.prepared.plans[i].destination, mount_one(build, i)));
  build.proc = TRY(verified(build, "/proc", PROC_SUPER_MAGIC));
  build.sysfs = TRY(verified(build, "/sys", SYSFS_MAGIC));
  return {};
}

}  // namespace umbel::rootfs
