// What a file is besides its name and type: extended attributes, times, owner; and its content as a
// whole.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

// For the whole process; the mask before.
mode_t set_umask(mode_t mask);

// Nothing where the file has no such attribute or its file system has none at all.
Result<std::optional<std::string>> extended_attribute(FdRef fd, const std::string& name);

// Neither follows a symbolic link at the end.
Result<void> change_owner_at(FdRef dir, const std::string& path, uid_t uid, gid_t gid);
Result<void> set_times_at(FdRef dir, const std::string& path, const struct stat& like);

// From the two files' positions until the end of `from`.
Result<void> copy_contents(FdRef from, FdRef to);

}  // namespace umbel::sys
