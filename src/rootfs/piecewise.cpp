// The host's root for a container in a user namespace. The kernel locks what a more privileged
// namespace mounted, so that nobody can look beneath it (mount_namespaces(7)), and therefore
// refuses a directory with such mounts in it as a layer: EINVAL. So the root is put together from
// pieces:
//   - a directory without mounts in it gets an overlay of its own;
//   - one with mounts in it becomes an ordinary directory whose entries are treated one by one,
//     unless they are more than a few hundred: then the whole is bound read-only;
//   - symbolic links are made again; of files up to 64 KiB a copy is taken; larger files, sockets,
//     pipes and devices in such directories are left out.
// Mounted file systems are taken or left out by the rule at the top of overlay.cpp.
//
// What belongs to ids that this user namespace does not map is seen as owned by nobody. overlayfs
// copies a file with its owner, and the directories that lead to it with theirs, so what lies in or
// is such a directory can be read but not changed (EOVERFLOW); the pieces' own top directories are
// made here and can.
#include <linux/mount.h>

#include <algorithm>

#include "rootfs/layers.h"
#include "rootfs/stack.h"
#include "sys/file.h"
#include "sys/mount.h"

namespace umbel::rootfs {

namespace {

constexpr std::size_t most_pieces = 256;

struct Pieces {
  Build& build;
  const std::vector<proc::Mount>& host;

  bool has_mounts_in(const std::string& path) const {
    return std::ranges::any_of(
        host, [&](const proc::Mount& m) { return m.point != path && within(m.point, path); });
  }
  const proc::Mount* mounted_at(const std::string& path) const {
    for (const proc::Mount& mount : host)
      if (mount.point == path && !proc::hidden(mount, host)) return &mount;
    return nullptr;
  }
};

Result<void> split_up(const Pieces& pieces, const std::string& path);

Result<void> bind_read_only(Build& build, const std::string& path) {
  const Fd copy = TRY(sys::clone_tree(cwd, path, sys::Depth::recursive));
  TRY(sys::set_attributes(copy, sys::Depth::recursive,
                          {.set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE}));
  const Fd place = TRY(sys::open_in_root(build.root, path, O_PATH | O_DIRECTORY));
  TRY(sys::attach(copy, place));
  build.notes.push_back(path + " of the host can only be read");
  return {};
}

Result<void> overlay_piece(Build& build, const std::string& path, std::uint64_t attributes) {
  const Fd lower = TRY(sys::open(cwd, path, O_PATH | O_DIRECTORY));
  TRY(make_layer(build, lower, path));
  Fd made = TRY(overlay_of(build, path, lower_text(lower, path), attributes));
  const Fd place = TRY(sys::open_in_root(build.root, path, O_PATH | O_DIRECTORY));
  TRY(sys::attach(made, place));
  build.layers.push_back(std::move(made));
  return {};
}

Result<void> take_directory(const Pieces& pieces, const std::string& path) {
  Build& build = pieces.build;
  if (path == "/proc" || path == "/sys" || path == "/dev") return {};
  const proc::Mount* mount = pieces.mounted_at(path);
  if (mount != nullptr && !is_taken(*mount)) return {};
  if (pieces.has_mounts_in(path)) return split_up(pieces, path);
  const std::uint64_t attributes = mount != nullptr ? attributes_of(*mount) : 0;
  const Result<void> taken = mount != nullptr && is_read_only(*mount)
                                 ? bind_read_only(build, path)
                                 : overlay_piece(build, path, attributes);
  if (taken) return {};
  const Result<void> bound = bind_read_only(build, path);
  if (!bound) build.notes.push_back(path + " of the host is left out: " + taken.error().message());
  return {};
}

Result<void> take(const Pieces& pieces, FdRef directory, const std::string& path,
                  const std::string& name) {
  const Result<struct stat> found = sys::status_at(cwd, path);
  if (!found) return {};  // gone meanwhile
  if (S_ISREG(found->st_mode)) {
    // A namespace that is kept by a mount, such as those of `ip netns`, looks like an empty file.
    const proc::Mount* mount = pieces.mounted_at(path);
    if (mount != nullptr && !is_taken(*mount)) return {};
    return copy_small_file(pieces.build, path);
  }
  Result<void> made = [&]() -> Result<void> {
    if (S_ISLNK(found->st_mode))
      return sys::symlink(TRY(sys::readlink(cwd, path)), directory, name);
    if (!S_ISDIR(found->st_mode)) return {};
    TRY(sys::make_directory(directory, name, found->st_mode & 07777));
    return be_like(pieces.build, directory, name, *found);
  }();
  // Kept from an earlier run.
  if (!made && made.error().code != EEXIST) return made;
  return S_ISDIR(found->st_mode) ? take_directory(pieces, path) : Result<void>();
}

Result<void> split_up(const Pieces& pieces, const std::string& path) {
  const Result<std::vector<std::string>> names = sys::list(cwd, path);
  if (!names) return {};  // closed to this user, inside as outside
  if (names->size() > most_pieces && path != "/") return bind_read_only(pieces.build, path);
  const Fd directory = TRY(sys::open_in_root(pieces.build.root, path, O_PATH | O_DIRECTORY));
  for (const std::string& name : *names) {
    std::string child = path == "/" ? "" : path;
    child.append("/").append(name);
    TRY(during("overlaying the host's " + child, take(pieces, directory, child, name)));
  }
  return {};
}

}  // namespace

Result<void> stack_piecewise(Build& build, const std::vector<proc::Mount>& host) {
  Result<void> made = sys::make_directory(cwd, upper_of("/"), 0755);
  if (!made && made.error().code != EEXIST) return made;
  build.root = TRY(sys::clone_tree(cwd, upper_of("/"), sys::Depth::one));
  TRY(sys::set_attributes(build.root, sys::Depth::one, {.propagation = MS_PRIVATE}));
  TRY(sys::attach(build.root, build.hidden));
  return split_up(Pieces{build, host}, "/");
}

}  // namespace umbel::rootfs
