// A process started in the container by exec is no descendant of its first one, and one in a pid
// namespace nested in it is not in the same: each of the two signs finds what the other misses.
#include "cli/umbel/processes.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "proc/status.h"
#include "sys/file.h"

namespace umbel::cli {

namespace {

std::string file_of(std::int32_t pid, std::string_view name) {
  return "/proc/" + std::to_string(pid) + "/" + std::string(name);
}

std::optional<proc::Status> status_of(std::int32_t pid) {
  const Result<std::string> text = sys::read_file(cwd, file_of(pid, "status"));
  if (!text) return std::nullopt;
  Result<proc::Status> status = proc::parse_status(*text);
  if (!status) return std::nullopt;
  return std::move(*status);
}

std::optional<sys::Identity> pid_namespace(std::int32_t pid) {
  const Result<Fd> ns = sys::open(cwd, file_of(pid, "ns/pid"), O_PATH);
  if (!ns) return std::nullopt;
  const Result<sys::Identity> identity = sys::identity(*ns);
  return identity ? std::optional(*identity) : std::nullopt;
}

Result<std::vector<std::int32_t>> by_namespace_and_descent(const container::Container& container) {
  const std::int32_t init = container.state.init.pid.value();
  const bool own_namespace = container.config.namespaces[ns::Kind::pid].from == ns::From::fresh;
  const auto wanted = own_namespace ? pid_namespace(init) : std::nullopt;
  std::map<std::int32_t, std::int32_t> parents;
  for (const std::string& name : TRY(sys::list(cwd, "/proc")))
    if (const auto pid = number(name))
      if (const auto status = status_of(static_cast<std::int32_t>(*pid)))
        parents[static_cast<std::int32_t>(*pid)] = status->parent;
  std::vector<std::int32_t> found;
  for (const auto& [pid, parent] : parents) {
    std::int32_t at = pid;
    while (at != init && parents.contains(at)) at = parents.at(at);
    if (at == init || (wanted && pid_namespace(pid) == wanted)) found.push_back(pid);
  }
  return found;
}

Result<std::vector<std::int32_t>> pids_of(const container::Container& container) {
  if (container.state.cgroup.empty()) return by_namespace_and_descent(container);
  std::vector<std::int32_t> pids;
  for (const HostPid pid : TRY(container.group().processes())) pids.push_back(pid.value());
  return pids;
}

// Arguments end with a zero byte each.
std::string command_of(std::int32_t pid, const std::string& name) {
  const Result<std::string> text = sys::read_file(cwd, file_of(pid, "cmdline"));
  if (!text || text->empty()) return "[" + name + "]";
  std::string command = *text;
  while (command.ends_with('\0')) command.pop_back();
  std::ranges::replace(command, '\0', ' ');
  return command;
}

// `depth`: how many pid namespaces, beginning with the caller's, lead to the container's.
std::optional<ProcessRecord> read(std::int32_t pid, std::size_t depth) {
  const auto status = status_of(pid);
  const Result<std::string> stat = sys::read_file(cwd, file_of(pid, "stat"));
  if (!status || !stat) return std::nullopt;
  ProcessRecord record{.host_pid = pid,
                       .uid = status->uid,
                       .state = std::string(1, status->state),
                       .name = status->name,
                       .command = command_of(pid, status->name),
                       .memory = status->resident_bytes};
  if (status->pids.size() >= depth) record.pid = status->pids[depth - 1];
  if (const Result<proc::Times> times = proc::parse_times(*stat))
    record.cpu_nanoseconds = (times->user + times->system) * 1'000'000'000 /
                             static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return record;
}

}  // namespace

Result<std::vector<ProcessRecord>> processes_of(const container::Container& container) {
  TRY(container.init());
  const auto init = status_of(container.state.init.pid.value());
  if (!init) return fail(container.name() + " has just ended");
  std::vector<ProcessRecord> records;
  for (const std::int32_t pid : TRY(pids_of(container)))
    if (auto record = read(pid, init->pids.size())) records.push_back(std::move(*record));
  std::ranges::sort(records, {}, &ProcessRecord::host_pid);
  return records;
}

}  // namespace umbel::cli
