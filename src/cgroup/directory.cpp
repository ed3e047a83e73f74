// A write of a pid to cgroup.procs takes a lock that every fork and exit holds for reading, and
// waits for an RCU grace period to get it: 5 to 8 ms on a quiet machine. The kernel leaves that out
// for a thread that moves itself alone, by "0" into the v1 file `tasks` (cgroup_procs_write_start,
// Linux 5.5); for a single-threaded process that is the same move. cgroup2 has the like only within
// a threaded domain; there a process is best born in its place, by CLONE_INTO_CGROUP. Whether the
// write is allowed is asked of who opened the file (CVE-2021-4197), so that a child in a new user
// namespace can still use what its parent opened.
#include "cgroup/directory.h"

#include <fcntl.h>

#include <algorithm>

#include "base/text.h"
#include "sys/file.h"

namespace umbel::cgroup {

bool Directory::controls(std::string_view controller) const {
  return !unified() && std::ranges::count(split(hierarchy_, ','), controller) != 0;
}

std::string Directory::name() const { return path_.substr(path_.rfind('/') + 1); }

std::string Directory::parent_path() const { return path_.substr(0, path_.rfind('/')); }

Result<FdRef> Directory::parent() const {
  if (!parent_) parent_ = TRY(sys::open(cwd, parent_path(), O_PATH | O_DIRECTORY | O_NOFOLLOW));
  return FdRef(parent_);
}

Result<FdRef> Directory::fd() const {
  if (fd_) return FdRef(fd_);
  constexpr int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW;
  if (parent_)
    fd_ = TRY(during(parent_path(), sys::open(parent_, name(), flags)));
  else
    fd_ = TRY(sys::open(cwd, path_, flags));
  return FdRef(fd_);
}

Result<void> Directory::write(const std::string& file, std::string_view value) const {
  const FdRef here = TRY(fd());
  return during(path_, sys::write_file(here, file, value));
}

Result<std::string> Directory::read(const std::string& file) const {
  const FdRef here = TRY(fd());
  return during(path_, sys::read_file(here, file));
}

bool Directory::has(const std::string& file) const {
  const auto here = fd();
  return here && sys::exists(*here, file);
}

Result<std::vector<Directory>> Directory::nested() const {
  const FdRef here = TRY(fd());
  std::vector<Directory> found;
  for (const std::string& entry : TRY(during(path_, sys::list(here, "."))))
    if (const auto status = sys::status_at(here, entry); status && S_ISDIR(status->st_mode))
      found.emplace_back(hierarchy_, path_ + "/" + entry);
  return found;
}

Result<std::vector<HostPid>> Directory::processes() const {
  std::vector<HostPid> pids;
  const std::string text = TRY(read("cgroup.procs"));
  for (const std::string_view line : split(text, '\n'))
    if (const auto pid = number(line); pid && *pid > 0)
      pids.emplace_back(static_cast<std::int32_t>(*pid));
  return pids;
}

Result<void> Directory::open_door() const {
  if (door_) return {};
  const FdRef here = TRY(fd());
  door_ = TRY(during(path_, sys::open(here, unified() ? "cgroup.procs" : "tasks", O_WRONLY)));
  return {};
}

Result<void> Directory::enter() const {
  TRY(open_door());
  return during(path_, sys::write_all(door_, "0"));
}

}  // namespace umbel::cgroup
