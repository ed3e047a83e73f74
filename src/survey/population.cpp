// stat(2) through the links of /proc/PID/ns gives a namespace's inode without opening it
// (namespaces(7)). PF_KTHREAD in field 9 of /proc/PID/stat marks kernel threads, which sit in the
// host's namespaces and belong to nobody.
#include "survey/population.h"

#include <algorithm>

#include "base/text.h"
#include "proc/cgroup.h"
#include "sys/file.h"

namespace umbel::survey {

namespace {

constexpr std::uint64_t kernel_thread = 0x00200000;  // PF_KTHREAD

std::uint64_t namespace_at(FdRef dir, const std::string& path) {
  const Result<struct stat> found = sys::status_behind(dir, path);
  return found ? found->st_ino : 0;
}

std::vector<std::string> cgroups_of(const inspect::Process& process) {
  std::vector<std::string> paths;
  const Result<std::string> text = process.text("cgroup");
  if (!text) return paths;
  const auto memberships = proc::parse_memberships(*text);
  if (!memberships) return paths;
  for (const proc::Membership& membership : *memberships)
    if (membership.path != "/" && std::ranges::find(paths, membership.path) == paths.end())
      paths.push_back(membership.path);
  return paths;
}

Result<Resident> resident(HostPid pid) {
  const inspect::Process process = TRY(inspect::Process::open(pid));
  const proc::Stat stat = TRY(process.stat());
  if ((stat.flags & kernel_thread) != 0) return fail("a kernel thread");
  return Resident{.pid = pid,
                  .parent = HostPid(stat.parent),
                  .name = stat.name,
                  .start_time = stat.start_time,
                  .session = stat.session,
                  .terminal = stat.terminal,
                  .zombie = stat.state == 'Z' || stat.state == 'X',
                  .namespaces = namespaces_of(process),
                  .cgroups = cgroups_of(process)};
}

}  // namespace

Ids namespaces_of(const inspect::Process& process) {
  Ids ids{};
  for (const ns::KindInfo& kind : ns::kinds)
    ids.at(ns::index(kind.kind)) = namespace_at(process.dir(), "ns/" + std::string(kind.proc));
  return ids;
}

Ids own_namespaces() {
  Ids ids{};
  for (const ns::KindInfo& kind : ns::kinds)
    ids.at(ns::index(kind.kind)) = namespace_at(cwd, "/proc/self/ns/" + std::string(kind.proc));
  return ids;
}

const Resident* Population::find(HostPid pid) const {
  const auto found = std::ranges::lower_bound(residents, pid, {}, &Resident::pid);
  return found != residents.end() && found->pid == pid ? &*found : nullptr;
}

Result<Population> population() {
  Population all;
  for (const std::string& name : TRY(sys::list(cwd, "/proc"))) {
    const auto pid = number(name);
    if (!pid) continue;
    Result<Resident> one = resident(HostPid(static_cast<std::int32_t>(*pid)));
    if (one) all.residents.push_back(std::move(*one));
  }
  std::ranges::sort(all.residents, {}, &Resident::pid);
  return all;
}

std::vector<std::string> command_line(HostPid pid) {
  std::vector<std::string> list;
  const Result<std::string> text =
      sys::read_file(cwd, "/proc/" + std::to_string(pid.value()) + "/cmdline");
  if (!text) return list;
  for (const std::string_view word : split(*text, '\0')) list.emplace_back(word);
  if (!list.empty() && list.back().empty()) list.pop_back();
  return list;
}

}  // namespace umbel::survey
