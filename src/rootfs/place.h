// Where things go inside a root that others may be changing meanwhile: every place is opened once,
// as a process with that root would see it, and from then on known by its descriptor.
#pragma once

#include <string>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::rootfs {

enum class Shape { directory, file };
enum class Links {
  inside,  // followed as from inside the root
  none,    // refused
};

// What is at `path`, without access to its content (O_PATH). Missing directories are made, mode
// 0755, and a missing file as an empty one.
Result<Fd> open_or_make(FdRef root, const std::string& path, Shape shape,
                        Links links = Links::inside);

// The directory that `path` is to be made in, itself made if missing, and the last name.
struct Slot {
  Fd directory;
  std::string name;
};
Result<Slot> open_slot(FdRef root, const std::string& path);

// The same as open_or_make for one new name in a directory; EEXIST when it is there already.
Result<Fd> make_in(FdRef directory, const std::string& name, Shape shape);

}  // namespace umbel::rootfs
