// With no root of its own a container sees the host's under a copy-on-write overlay. The overlay
// and what it writes live in the container's mount namespace alone (layers.h): nothing is added to
// the host's mount table, no process holds anything, and all is gone with the last process.
//
// An overlay shows one file system, so each further one that is mounted on the host gets an overlay
// of its own at its place, by this rule:
//   - taken are file systems on a block device, tmpfs and ramfs, btrfs, zfs, bcachefs, virtiofs and
//     9p, and the overlays of an umbel that this one runs in;
//   - what is read-only as a file system (squashfs, a CD) is bound read-only instead, which costs
//     less and comes to the same;
//   - of a single mounted file of up to 64 KiB (a container's /etc/resolv.conf) a copy is taken;
//   - left out, and shown as empty directories, are: everything below /proc, /sys and /dev, which
//     the spec mounts anew; the overlays of other containers and namespaces' handles, which are
//     nobody's files; FUSE, autofs and network file systems, which can hang or ask their server
//     about strangers; whatever overlayfs refuses as a lower layer (vfat); and what is mounted on
//     something left out.
// So the cost follows the number of file systems that a person thinks of as theirs, not of the
// containers that the host runs.
//
// What nesting keeps for an inner umbel is read-only and hidden beneath the root, but not beyond
// the reach of a container with CAP_SYS_ADMIN; so the host's own root is never kept, only overlays
// are.
//
// overlayfs (Documentation/filesystems/overlayfs.rst): lower layers may hold the upper one; at most
// two overlays can be stacked (FILESYSTEM_MAX_STACK_DEPTH). Where the second one is below us
// already, its upper directory and its lower layers, which an umbel started to nest keeps for us,
// become several lower layers of one overlay: so any depth is the second.
#include <linux/magic.h>
#include <linux/mount.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "rootfs/layers.h"
#include "rootfs/stack.h"
#include "sys/file.h"
#include "sys/inode.h"
#include "sys/mount.h"

namespace umbel::rootfs {

namespace {

bool contains(const auto& list, const auto& wanted) {
  return std::ranges::find(list, wanted) != std::ranges::end(list);
}

constexpr std::array without_device = std::to_array<std::string_view>(
    {"tmpfs", "ramfs", "btrfs", "zfs", "bcachefs", "virtiofs", "9p"});
constexpr std::array made_anew = std::to_array<std::string_view>({"/proc", "/sys", "/dev"});

struct Forbidding {
  std::string_view option;
  std::uint64_t attribute;
};
constexpr std::array forbidding = std::to_array<Forbidding>(
    {{"nosuid", MOUNT_ATTR_NOSUID}, {"nodev", MOUNT_ATTR_NODEV}, {"noexec", MOUNT_ATTR_NOEXEC}});

struct Unfit {
  std::int64_t magic;
  std::string_view name;
};
// The kernel takes some of these without a word and then fails at the first change.
constexpr std::array unfit_for_changes = std::to_array<Unfit>({{OVERLAYFS_SUPER_MAGIC, "overlay"},
                                                               {MSDOS_SUPER_MAGIC, "vfat"},
                                                               {0x2011BAB0, "exfat"},
                                                               {NFS_SUPER_MAGIC, "nfs"},
                                                               {SMB_SUPER_MAGIC, "smb"},
                                                               {0xFE534D42, "smb"},
                                                               {V9FS_MAGIC, "9p"},
                                                               {ECRYPTFS_SUPER_MAGIC, "ecryptfs"}});

Result<void> keep_changes_in(const std::string& directory) {
  TRY(sys::make_directories(directory, 0755));
  const Fd kept = TRY(sys::clone_tree(cwd, directory, sys::Depth::one));
  const struct statfs system = TRY(sys::file_system(kept));
  const auto* unfit =
      std::ranges::find(unfit_for_changes, static_cast<std::int64_t>(system.f_type), &Unfit::magic);
  if (unfit != unfit_for_changes.end())
    return fail(
        "it lies on " + std::string(unfit->name) + ", which cannot keep an overlay's changes",
        "choose a directory on ext4, xfs, btrfs or tmpfs");
  TRY(sys::set_attributes(kept, sys::Depth::one, {.propagation = MS_PRIVATE}));
  return sys::attach_at(kept, cwd, "layers");
}

Result<void> make_missing(FdRef directory, const std::string& name, mode_t mode) {
  Result<void> made = sys::make_directory(directory, name, mode);
  if (!made && made.error().code != EEXIST) return made;
  return {};
}

// The tmpfs goes onto the old root: there it is in the way of nothing, since lookups start beneath
// it, and before Linux 6.15 only an attached mount can be a layer.
Result<void> make_hidden(Build& build) {
  const Root& root = build.spec.root;
  sys::FileSystem made = TRY(sys::FileSystem::open("tmpfs"));
  TRY(made.set("source", "umbel"));
  TRY(made.set("mode", "755"));
  if (root.overlay_size != 0) TRY(made.set("size", std::to_string(root.overlay_size)));
  build.hidden = TRY(made.mount(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
  TRY(sys::attach_at(build.hidden, cwd, "/"));
  TRY(sys::make_directory(build.hidden, "stack", 0755));
  TRY(enter_stack(build));
  TRY(sys::make_directory(cwd, "layers", 0755));
  if (root.overlay_dir.empty()) return {};
  return during("keeping the changes in " + root.overlay_dir, keep_changes_in(root.overlay_dir));
}

// One file system of the host that gets an overlay.
struct Host {
  std::string path;
  std::uint64_t attributes = 0;
  bool is_overlay = false;
};

struct Layers {
  Build& build;
  std::optional<Lowers> enclosing = std::nullopt;  // fetched when first needed
};

// Attaches the copies below lower/, where an umbel inside finds them too; the names, for lowerdir.
Result<std::string> keep_lowers(const std::string& name, const std::vector<Fd>& copies) {
  const std::string directory = "lower/" + name;
  TRY(make_missing(cwd, "lower", 0755));
  TRY(make_missing(cwd, directory, 0755));
  std::string text;
  for (std::size_t i = 0; i < copies.size(); ++i) {
    const std::string place = directory + "/" + std::to_string(i);
    TRY(sys::make_directory(cwd, place, 0755));
    TRY(sys::set_attributes(copies[i], sys::Depth::one,
                            {.set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE}));
    TRY(sys::attach_at(copies[i], cwd, place));
    text += (text.empty() ? "" : ":") + place;
  }
  return text;
}

Result<Fd> overlay_on_enclosing(Layers& layers, const Host& host, Error refusal) {
  if (!layers.enclosing) {
    layers.enclosing = TRY(lowers_of_enclosing_root());
    TRY(enter_stack(layers.build));
  }
  const std::string name = layer_name(host.path);
  const auto found = layers.enclosing->find(name);
  if (found == layers.enclosing->end()) {
    refusal.cure = "start the umbel that this one runs in with --nest";
    return Failure(std::move(refusal));
  }
  const std::string lowers = TRY(keep_lowers(name, found->second));
  return overlay_of(layers.build, host.path, lowers, host.attributes);
}

Result<Fd> overlay_on(Layers& layers, FdRef lower, const Host& host) {
  TRY(make_layer(layers.build, lower, host.path));
  Result<Fd> made =
      overlay_of(layers.build, host.path, lower_text(lower, host.path), host.attributes);
  if (made && host.is_overlay && layers.build.spec.root.nest) {
    std::vector<Fd> copies;
    Fd copy = TRY(sys::clone_tree(lower, "", sys::Depth::one));
    copies.push_back(std::move(copy));
    TRY(keep_lowers(layer_name(host.path), copies));
  }
  if (made || !host.is_overlay || made.error().code != EINVAL) return made;
  return overlay_on_enclosing(layers, host, std::move(made).error());
}

Result<void> take_directory(Layers& layers, const proc::Mount& mount, FdRef source, FdRef place) {
  Build& build = layers.build;
  if (is_read_only(mount)) {
    const Fd copy = TRY(sys::clone_tree(source, "", sys::Depth::one));
    TRY(sys::set_attributes(copy, sys::Depth::one,
                            {.set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE}));
    return sys::attach(copy, place);
  }
  Result<Fd> made =
      overlay_on(layers, source, {mount.point, attributes_of(mount), mount.type == "overlay"});
  if (!made && made.error().code == EINVAL) {
    build.notes.push_back(mount.point + " of the host is left out: " + made.error().message());
    return {};
  }
  Fd overlay = TRY(std::move(made));
  TRY(sys::attach(overlay, place));
  build.layers.push_back(std::move(overlay));
  return {};
}

Result<void> take(Layers& layers, const proc::Mount& mount) {
  Build& build = layers.build;
  const Result<Fd> source = sys::open(cwd, mount.point, O_PATH);
  const Result<Fd> place = sys::open_in_root(build.root, mount.point, O_PATH);
  if (!source || !place) return {};  // gone meanwhile
  const Shape shape = TRY(shape_of(*source));
  if (shape == Shape::directory) return take_directory(layers, mount, *source, *place);
  return copy_small_file(build, mount.point);
}

Result<void> take_mounts(Layers& layers, const std::vector<proc::Mount>& host) {
  std::vector<const proc::Mount*> order;
  for (const proc::Mount& mount : host)
    if (mount.point != "/") order.push_back(&mount);
  // A mount's point starts with that of what it is mounted on, which so comes first.
  std::ranges::sort(order, {}, &proc::Mount::point);
  std::vector<const proc::Mount*> left_out;
  for (const proc::Mount* mount : order) {
    const auto below = [mount](const proc::Mount* other) {
      return other->id == mount->parent && other->point != mount->point;
    };
    if (!is_taken(*mount) || std::ranges::any_of(left_out, below))
      left_out.push_back(mount);
    else if (!proc::hidden(*mount, host))
      TRY(during("overlaying the host's " + mount->point, take(layers, *mount)));
  }
  return {};
}

Result<void> stack_whole(Build& build, const std::vector<proc::Mount>& host) {
  Layers layers{build};
  const Fd lower = TRY(sys::open(cwd, "/", O_PATH | O_DIRECTORY));
  const struct statfs system = TRY(sys::file_system(lower));
  const Host host_root{.path = "/", .is_overlay = system.f_type == OVERLAYFS_SUPER_MAGIC};
  build.root = TRY(during("overlaying the host's root", overlay_on(layers, lower, host_root)));
  TRY(sys::attach(build.root, build.hidden));
  return take_mounts(layers, host);
}

}  // namespace

bool is_taken(const proc::Mount& mount) {
  for (const std::string_view top : made_anew)
    if (within(mount.point, top)) return false;
  if (mount.type == "overlay")
    return contains(split(mount.super_options, ','), "upperdir=" + upper_of(mount.point));
  if (mount.type.starts_with("fuse")) return false;
  return mount.major != 0 || contains(without_device, mount.type);
}

bool is_read_only(const proc::Mount& mount) {
  return mount.super_options == "ro" || mount.super_options.starts_with("ro,");
}

Result<void> enter_stack(Build& build) {
  return sys::change_directory(TRY(sys::open(build.hidden, "stack", O_PATH | O_DIRECTORY)));
}

// The upper directory gives the overlay's own root its owner and mode.
Result<void> make_layer(Build& build, FdRef lower, const std::string& path) {
  const struct stat like = TRY(sys::status(lower));
  if (path != "/") {
    TRY(make_missing(cwd, "layers/mounts", 0755));
    TRY(make_missing(cwd, "layers/mounts/" + layer_name(path), 0755));
  }
  TRY(make_missing(cwd, work_of(path), 0700));
  const std::string upper = upper_of(path);
  const Result<void> made = sys::make_directory(cwd, upper, like.st_mode & 07777);
  if (!made && made.error().code == EEXIST) return {};  // kept from an earlier run
  TRY(made);
  return be_like(build, cwd, upper, like);
}

Result<void> be_like(const Build& build, FdRef directory, const std::string& name,
                     const struct stat& like) {
  // An owner without a number in this user namespace is seen as nobody, and nothing can be given
  // to him.
  constexpr uid_t nobody = 65534;
  const bool known = !build.rights.user_new || (like.st_uid != nobody && like.st_gid != nobody);
  if (known && (like.st_uid != 0 || like.st_gid != 0))
    TRY(sys::change_owner_at(directory, name, like.st_uid, like.st_gid));
  if ((like.st_mode & (S_ISUID | S_ISGID)) == 0) return {};
  return sys::change_mode(directory, name, like.st_mode & 07777);  // mkdir(2) leaves these out
}

std::string lower_text(FdRef lower, const std::string& path) {
  if (path.find_first_of(":,\\") == std::string::npos) return path;
  return "/proc/self/fd/" + std::to_string(lower.number());
}

std::uint64_t attributes_of(const proc::Mount& mount) {
  std::uint64_t attributes = 0;
  for (const std::string_view option : split(mount.options, ',')) {
    const auto* known = std::ranges::find(forbidding, option, &Forbidding::option);
    if (known != forbidding.end()) attributes |= known->attribute;
  }
  return attributes;
}

Result<Fd> overlay_of(const Build& build, const std::string& path, const std::string& lowers,
                      std::uint64_t attributes) {
  sys::FileSystem made = TRY(sys::FileSystem::open("overlay"));
  TRY(made.set("source", "overlay"));
  TRY(made.set("lowerdir", lowers));
  TRY(made.set("upperdir", upper_of(path)));
  TRY(made.set("workdir", work_of(path)));
  if (build.rights.user_new) {
    TRY(made.flag("userxattr"));
  } else {
    TRY(made.set("redirect_dir", "on"));  // so that a directory of the host can be renamed
    // An upper directory in use is a lower layer here when umbels nest; an index would forbid that.
    TRY(made.set("index", "off"));
  }
  return made.mount(attributes);
}

Result<void> copy_small_file(Build& build, const std::string& path) {
  constexpr off_t most = off_t{1} << 16;
  const Result<struct stat> found = sys::status_at(cwd, path);
  if (!found || !S_ISREG(found->st_mode) || found->st_size > most) return {};
  const Result<Fd> source = sys::open(cwd, path, O_RDONLY);
  if (!source) return {};  // not readable for this user
  const Slot slot = TRY(open_slot(build.root, path));
  const Fd copy = TRY(sys::open(slot.directory, slot.name,
                                O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, found->st_mode & 0777));
  TRY(sys::copy_contents(*source, copy));
  return sys::set_times_at(slot.directory, slot.name, *found);
}

Result<void> stack_overlay(Build& build) {
  const std::string text = TRY(sys::read_file(cwd, "/proc/self/mountinfo"));
  const std::vector<proc::Mount> host = TRY(proc::parse_mounts(text));
  TRY(make_hidden(build));
  return build.rights.user_new ? stack_piecewise(build, host) : stack_whole(build, host);
}

}  // namespace umbel::rootfs
