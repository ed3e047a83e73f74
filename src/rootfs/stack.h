// Between overlay.cpp, which stacks one overlay on each of the host's file systems, and
// piecewise.cpp, which does it as far as a user namespace may. Not for other folders.
#pragma once

#include <sys/stat.h>

#include <cstdint>
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
// What lowerdir= takes for a directory; one whose name means something to the option parser is
// given by its descriptor.
std::string lower_text(FdRef lower, const std::string& path);
// The overlay itself, detached; `lowers` as lowerdir= takes it, `attributes` MOUNT_ATTR_*.
Result<Fd> overlay_of(const Build& build, const std::string& path, const std::string& lowers,
                      std::uint64_t attributes);
// What the host forbids on a mount (nosuid, nodev, noexec) is forbidden on its overlay too.
std::uint64_t attributes_of(const proc::Mount& mount);
// Into the root being built, at the same path; larger and unreadable files are passed over.
Result<void> copy_small_file(Build& build, const std::string& path);

Result<void> stack_piecewise(Build& build, const std::vector<proc::Mount>& host);

}  // namespace umbel::rootfs
