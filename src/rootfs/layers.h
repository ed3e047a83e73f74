// The tmpfs beneath an overlay root, which holds what the overlay writes. Not for other folders.
//
//   stack/layers/upper, .../work                of the overlay on "/"
//   stack/layers/mounts/NAME/upper, .../work    of the overlay on another file system of the host
//   stack/lower/NAME/0, 1, ...                  read-only binds: what a container inside stacks on
//
// layers is a bind of the host's directory where the changes are to be kept. NAME is the mount
// point with its slashes as %2F. The working directory is stack/ while overlays are made, so that
// the kernel is given names that mean the same everywhere, and that tell umbel's overlays from
// others in mountinfo. (The tmpfs's own root won't do: a lookup that comes to it goes on into the
// overlay that covers it.)
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::rootfs {

std::string layer_name(std::string_view path);
std::string layer_path(std::string_view name);
// Of the overlay on `path`, relative to stack/.
std::string upper_of(std::string_view path);
std::string work_of(std::string_view path);

// What the container that this process is in has beneath its own root: for each layer name the
// directories to stack on, uppermost first, as detached copies. Empty where it has none. Call it
// with the new container's tmpfs on the root already. Changes the working directory.
using Lowers = std::map<std::string, std::vector<Fd>, std::less<>>;
Result<Lowers> lowers_of_enclosing_root();

// Leaves the root that covers the lowest mount of this process's mount namespace, of which it must
// have a copy of its own: afterwards "/" is that lowest mount. `own_namespace` is this process's
// mount namespace, opened before.
Result<void> uncover_root(FdRef own_namespace, int mounts_on_top);

}  // namespace umbel::rootfs
