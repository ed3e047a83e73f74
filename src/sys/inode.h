// What a file is besides its name and type: extended attributes, times, owner, what the caller may
// do; and its content as a whole.
#pragma once

#include <sys/stat.h>

#include <cstdint>
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

// Of the socket behind a link in /proc/PID/fd: UNIX-STREAM, TCPv6; empty where the kernel says
// nothing.
Result<std::string> socket_protocol(const std::string& link);

// An error unless the effective user may write there; EROFS on a read-only file system.
Result<void> may_write(FdRef dir, const std::string& path);

// Of an open file: a name could have been given to another meanwhile.
Result<void> change_mode(FdRef fd, mode_t mode);
// Neither follows a symbolic link at the end.
Result<void> change_owner_at(FdRef dir, const std::string& path, uid_t uid, gid_t gid);
Result<void> set_times_at(FdRef dir, const std::string& path, const struct stat& like);

// The file that a handle of name_to_handle_at(2) means, on the file system of `mount`. Needs
// CAP_DAC_READ_SEARCH; ESTALE where there is no such file any more.
struct Handle {
  int type = 0;
  std::vector<std::uint8_t> bytes;
};
Result<Fd> open_handle(FdRef mount, const Handle& handle, int flags);
// Gives an open file one more name; with CAP_DAC_READ_SEARCH also when it has lost its last.
Result<void> link_open_file(FdRef file, const std::string& path);

// From the two files' positions until the end of `from`.
Result<void> copy_contents(FdRef from, FdRef to);

}  // namespace umbel::sys
