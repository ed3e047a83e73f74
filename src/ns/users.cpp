// A namespace's name in /proc/PID/ns is "net:[INODE]". Which process is pid 1 the kernel tells by
// NS_GET_PID_FROM_PIDNS (Linux 6.11); before, the one among its users whose NSpid ends with 1.
#include "ns/users.h"

#include <fcntl.h>

#include <string>

#include "base/text.h"
#include "ns/kind.h"
#include "proc/status.h"
#include "sys/file.h"
#include "sys/namespace.h"

namespace umbel::ns {

namespace {

std::optional<std::uint64_t> inode_in(std::string_view link) {
  const std::size_t open = link.find('[');
  if (open == std::string_view::npos || !link.ends_with(']')) return std::nullopt;
  return unsigned_number(link.substr(open + 1, link.size() - open - 2));
}

bool is_first(FdRef proc, HostPid pid) {
  const Result<std::string> text = sys::read_file(proc, std::to_string(pid.value()) + "/status");
  const Result<proc::Status> status =
      text ? proc::parse_status(*text) : Result<proc::Status>(fail(""));
  return status && !status->pids.empty() && status->pids.back() == 1;
}

}  // namespace

Result<Users> all_users() {
  Users users;
  const Fd proc = TRY(sys::open(cwd, "/proc", O_RDONLY | O_DIRECTORY));
  for (const std::string& entry : TRY(sys::list(proc, "."))) {
    const auto pid = number(entry);
    if (!pid) continue;
    for (const KindInfo& kind : kinds) {
      const Result<std::string> link = sys::readlink(proc, entry + "/ns/" + std::string(kind.proc));
      if (!link) break;  // it has ended, or is somebody else's
      if (const auto inode = inode_in(*link))
        users[*inode].emplace_back(static_cast<std::int32_t>(*pid));
    }
  }
  return users;
}

Result<std::optional<HostPid>> first_process(FdRef pid_namespace) {
  Result<HostPid> first = sys::pid_in_namespace(pid_namespace, 1);
  if (first) return *first;
  if (first.error().code == ESRCH) return std::nullopt;
  if (first.error().code != ENOTTY) return Failure(std::move(first).error());
  const Fd proc = TRY(sys::open(cwd, "/proc", O_RDONLY | O_DIRECTORY));
  const Users users = TRY(all_users());
  const auto found = users.find(TRY(sys::identity(pid_namespace)).inode);
  if (found == users.end()) return std::nullopt;
  for (const HostPid pid : found->second)
    if (is_first(proc, pid)) return pid;
  return std::nullopt;
}

}  // namespace umbel::ns
