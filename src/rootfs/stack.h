// Between overlay.cpp, which stacks one overlay on each of the host's file systems, and
// piecewise.cpp, which does it as far as a user namespace may. Not for other folders.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "proc/mountinfo.h"
#include "rootfs/build.h"

namespace umbel::rootfs {

// By the rule at the top of overlay.cpp.
bool is_taken(const proc::Mount& mount);
bool is_read_only(const proc::Mount& mount);

// Makes stack/ of the hidden tmpfs the working directory.
Result<void> enter_stack(Build& build);
// Upper and work directory for the overlay on `path`, which `lower` is.
Result<void> make_layer(Build& build, FdRef lower, const std::string& path);
// Gives a new directory the owner and the mode of another.
Result<void> be_like(const Build& build, FdRef directory, const std::string& name,
                     const struct stat& like);
// The overlay itself, detached; `lowers` as lowerdir= takes it.
Result<Fd> overlay_of(const Build& build, const std::string& path, const std::string& lowers);
// Into the root being built, at the same path; larger and unreadable files are passed over.
Result<void> copy_small_file(Build& build, const std::string& path);

Result<void> stack_piecewise(Build& build, const std::vector<proc::Mount>& host);

}  // namespace umbel::rootfs
