// What a file is besides its name and type: extended attributes, times, owner, what the caller may
// do; and its content as a whole.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

// Nothing where the file has no such attribute or its file system has none at all.
Result<std::optional<std::string>> extended_attribute(FdRef fd, const std::string& name);
// None where its file system has no such thing.
Result<std::vector<std::string>> extended_attribute_names(FdRef fd);
Result<void> set_extended_attribute(FdRef fd, const std::string& name, const std::string& value);
// Of what is at an absolute path; a symbolic link at its end is not followed.
Result<std::optional<std::string>> extended_attribute_at(const std::string& path,
                                                         const std::string& name);
Result<void> set_extended_attribute_at(const std::string& path, const std::string& name,
                                       const std::string& value);

// An error unless the effective user may write there; EROFS on a read-only file system.
Result<void> may_write(FdRef dir, const std::string& path);

// Of an open file: a name could have been given to another meanwhile.
Result<void> change_mode(FdRef fd, mode_t mode);
// Neither follows a symbolic link at the end.
Result<void> change_owner_at(FdRef dir, const std::string& path, uid_t uid, gid_t gid);
Result<void> set_times_at(FdRef dir, const std::string& path, const struct stat& like);

// From the two files' positions until the end of `from`.
Result<void> copy_contents(FdRef from, FdRef to);

}  // namespace umbel::sys
