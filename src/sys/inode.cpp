// Contents are copied by sendfile(2), which works between any two files; copy_file_range(2) refuses
// some pairs of file systems, and what is copied here is small.
#include "sys/inode.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <sys/sendfile.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "sys/call.h"

namespace umbel::sys {

Result<std::optional<std::string>> extended_attribute(FdRef fd, const std::string& name) {
  std::array<char, 4096> value{};
  const ssize_t length = ::fgetxattr(fd.number(), name.c_str(), value.data(), value.size());
  if (length >= 0) return std::string(value.data(), static_cast<std::size_t>(length));
  if (errno == ENODATA || errno == EOPNOTSUPP) return std::nullopt;
  return Failure(last_error("fgetxattr", name));
}

Result<std::optional<std::string>> extended_attribute_at(const std::string& path,
                                                         const std::string& name) {
  std::array<char, 4096> value{};
  const ssize_t length = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
  if (length >= 0) return std::string(value.data(), static_cast<std::size_t>(length));
  if (errno == ENODATA || errno == EOPNOTSUPP) return std::nullopt;
  return Failure(last_error("lgetxattr", name + " of " + path));
}

Result<std::vector<std::string>> extended_attribute_names(FdRef fd) {
  std::vector<std::string> names;
  std::string list(XATTR_LIST_MAX, '\0');
  const ssize_t length = ::flistxattr(fd.number(), list.data(), list.size());
  if (length < 0 && errno == EOPNOTSUPP) return names;
  TRY(checked(length, "flistxattr"));
  // Each ends with a zero byte.
  std::string_view rest(list.data(), static_cast<std::size_t>(length));
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\0'), rest.size() - 1);
    names.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  return names;
}

Result<void> set_extended_attribute(FdRef fd, const std::string& name, const std::string& value) {
  return checked(::fsetxattr(fd.number(), name.c_str(), value.data(), value.size(), 0), "fsetxattr",
                 name);
}

Result<void> set_extended_attribute_at(const std::string& path, const std::string& name,
                                       const std::string& value) {
  return checked(::lsetxattr(path.c_str(), name.c_str(), value.data(), value.size(), 0),
                 "lsetxattr", name + " of " + path);
}

Result<std::string> socket_protocol(const std::string& link) {
  std::array<char, 64> name{};
  const ssize_t length =
      ::getxattr(link.c_str(), "system.sockprotoname", name.data(), name.size() - 1);
  if (length < 0 && errno != ENODATA && errno != EOPNOTSUPP)
    return Failure(last_error("getxattr", link));
  return std::string(name.data());
}

Result<void> may_write(FdRef dir, const std::string& path) {
  return checked(::faccessat(dir.number(), path.c_str(), W_OK, AT_EACCESS), "access", path);
}

Result<void> change_mode(FdRef fd, mode_t mode) {
  return checked(::fchmod(fd.number(), mode), "fchmod");
}

Result<void> change_owner_at(FdRef dir, const std::string& path, uid_t uid, gid_t gid) {
  return checked(::fchownat(dir.number(), path.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW), "chown",
                 path);
}

Result<void> set_times_at(FdRef dir, const std::string& path, const struct stat& like) {
  const std::array<timespec, 2> times{like.st_atim, like.st_mtim};
  return checked(::utimensat(dir.number(), path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW),
                 "utimensat", path);
}

Result<Fd> open_handle(FdRef mount, const Handle& handle, int flags) {
  std::vector<std::uint8_t> room(sizeof(file_handle) + handle.bytes.size());
  auto* const made = reinterpret_cast<file_handle*>(room.data());
  made->handle_bytes = static_cast<unsigned>(handle.bytes.size());
  made->handle_type = handle.type;
  std::ranges::copy(handle.bytes, room.data() + sizeof(file_handle));
  return Fd(TRY(checked_int(::open_by_handle_at(mount.number(), made, flags | O_CLOEXEC),
                            "open_by_handle_at")));
}

Result<void> link_open_file(FdRef file, const std::string& path) {
  return checked(::linkat(file.number(), "", AT_FDCWD, path.c_str(), AT_EMPTY_PATH), "linkat",
                 path);
}

Result<void> copy_contents(FdRef from, FdRef to) {
  constexpr std::size_t step = std::size_t{1} << 24;
  for (;;) {
    const ssize_t count =
        retried([&] { return ::sendfile(to.number(), from.number(), nullptr, step); });
    if (count < 0) return Failure(last_error("sendfile"));
    if (count == 0) return {};
  }
}

}  // namespace umbel::sys
