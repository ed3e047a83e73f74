// cgroup2 hands a controller on to the children of a directory only where cgroup.subtree_control
// names it, at every level from the root down.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::cgroup {

// Makes the controllers usable in the children of `directory` (its path is for messages and for
// telling whether it is this process's own). ENOENT: one of them is not to be had here.
Result<void> offer(FdRef directory, const std::string& path,
                   const std::vector<std::string>& controllers);

}  // namespace umbel::cgroup
