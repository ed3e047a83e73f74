// What the words of a mount mean, worked out before anything is done; no system call is made here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "rootfs/spec.h"
#include "sys/mount.h"

namespace umbel::rootfs {

// MOUNT_ATTR_* bits as mount_setattr(2) takes them.
struct Attributes {
  std::uint64_t set = 0, clear = 0;
  bool any() const { return (set | clear) != 0; }
};

struct Propagation {
  std::uint64_t flag = 0;  // MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE; 0: not asked for
  sys::Depth depth = sys::Depth::one;
};

// What the file system itself is to read: "size=64m", or "newinstance" without a value.
struct Datum {
  std::string key;
  std::optional<std::string> value;
};

enum class IdMap { none, top, tree };

struct Plan {
  enum class Kind { file_system, bind, cgroup, remount };
  Kind kind = Kind::file_system;
  std::string destination;             // absolute, without "." and ".."
  sys::Depth depth = sys::Depth::one;  // of a bind
  Attributes top, tree;                // of the mount alone, and of all below it too
  Propagation propagation;
  IdMap id_map = IdMap::none;
  bool copy_up = false;  // a tmpfs starts with what was there before
  std::vector<Datum> data;
};

// Refuses what no mount of this kind can mean, naming the word that was probably meant.
Result<Plan> plan(const Mount& mount);
// "rslave", "private", ...; empty means rslave.
Result<Propagation> propagation(std::string_view word);

// "/a//b/../c/." is "/a/c"; ".." does not lead above the root. By text alone.
std::string clean_path(std::string_view path);
// Whether `path` is `top` or lies below it. Both clean.
bool within(std::string_view path, std::string_view top);

// All words that umbel itself understands, whatever the file system.
std::vector<std::string_view> option_words();
// The option that was probably meant by a word that neither we nor the file system know.
std::string suggestion(std::string_view wrong);

}  // namespace umbel::rootfs
