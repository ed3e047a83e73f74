// The mount interface of Linux 5.2 and 5.12: a file system or a copy of a tree is made detached,
// held by a descriptor, given its attributes, and attached to a directory held by another.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

// Configures one new file system: FileSystem::open("tmpfs"), set(...), then mount().
class FileSystem {
 public:
  static Result<FileSystem> open(const std::string& type);
  Result<void> flag(const std::string& key);
  Result<void> set(const std::string& key, const std::string& value);
  Result<void> set(const std::string& key, FdRef fd);
  // A detached mount. `attributes` are MOUNT_ATTR_* bits.
  Result<Fd> mount(std::uint64_t attributes = 0);

 private:
  explicit FileSystem(Fd context, std::string type)
      : context_(std::move(context)), type_(std::move(type)) {}
  // The kernel explains a refused option in messages read from the context.
  Error explained(Error error, const std::string& on) const;
  Fd context_;
  std::string type_;
};

enum class Depth { one, recursive };

// A detached copy of the mount at `path` (empty: of `dir` itself).
Result<Fd> clone_tree(FdRef dir, const std::string& path, Depth depth);
struct MountAttributes {
  std::uint64_t set = 0, clear = 0;  // MOUNT_ATTR_*
  std::uint64_t propagation = 0;     // MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE; 0 keeps it
  std::optional<FdRef> id_map = std::nullopt;  // a user namespace, with MOUNT_ATTR_IDMAP in set
};
// On the mount that `fd` is the root of. Linux 5.12.
Result<void> set_attributes(FdRef fd, Depth depth, const MountAttributes& attributes);
// The same for the mount at a path.
Result<void> set_attributes_at(FdRef dir, const std::string& path, Depth depth,
                               const MountAttributes& attributes);
// Attaches a detached mount on top of what `onto` refers to.
Result<void> attach(FdRef mount, FdRef onto);
Result<void> attach_at(FdRef mount, FdRef dir, const std::string& path);
// The new root is `root`; the old one is detached from this mount namespace. The working directory
// is "/" afterwards.
Result<void> pivot_root(FdRef root);
// The same, with the mount `bottom` (attached to the old root; `root` is attached to it) becoming
// the namespace's lowest mount, covered by `root`: only unmounting "/" shows it.
Result<void> pivot_root_above(FdRef bottom, FdRef root);
Result<void> unmount(const std::string& path, int flags);
Result<void> change_root(FdRef root);
Result<void> change_directory(FdRef dir);

// When the mount that is at a path was made, as a number that only grows (Linux 6.8; EOPNOTSUPP
// before): statx(2), STATX_MNT_ID_UNIQUE. A symbolic link at its end is not followed.
Result<std::uint64_t> mount_birth(const std::string& path);

}  // namespace umbel::sys
