// Reading a file of /proc gives one moment's truth; whoever needs two files to agree must freeze
// the process first.
#include "inspect/process.h"

#include <fcntl.h>

#include <algorithm>

#include "base/text.h"
#include "sys/file.h"
#include "sys/procfs.h"

namespace umbel::inspect {

namespace {

std::string task(HostPid tid, const char* file) {
  return "task/" + std::to_string(tid.value()) + "/" + file;
}

Result<std::vector<HostPid>> pids(std::string_view text) {
  std::vector<HostPid> found;
  for (const std::string_view word : words(text)) {
    const auto pid = number(word);
    if (!pid) return fail("'" + std::string(word) + "' is no pid");
    found.emplace_back(static_cast<std::int32_t>(*pid));
  }
  return found;
}

}  // namespace

Result<Process> Process::open(HostPid pid) {
  Fd dir = TRY(sys::open(cwd, sys::proc_path(std::to_string(pid.value())), O_RDONLY | O_DIRECTORY));
  return Process(pid, std::move(dir));
}

Result<Process> Process::through(HostPid pid, HostPid tid) {
  Process process = TRY(open(tid));
  process.pid_ = pid;
  return process;
}

Result<std::string> Process::text(const std::string& name) const {
  return during("process " + std::to_string(pid_.value()), sys::read_file(dir_, name));
}

Result<proc::Stat> Process::stat() const {
  const std::string read = TRY(text("stat"));
  return proc::parse_stat(read);
}
Result<proc::Stat> Process::stat(HostPid tid) const {
  const std::string read = TRY(text(task(tid, "stat")));
  return proc::parse_stat(read);
}
Result<proc::Keyed> Process::status() const {
  const std::string read = TRY(text("status"));
  return proc::Keyed::parse(read);
}
Result<proc::Keyed> Process::status(HostPid tid) const {
  const std::string read = TRY(text(task(tid, "status")));
  return proc::Keyed::parse(read);
}

Result<std::vector<HostPid>> Process::threads() const {
  std::vector<HostPid> found;
  for (const std::string& name : TRY(sys::list(dir_, "task")))
    if (const auto tid = number(name)) found.emplace_back(static_cast<std::int32_t>(*tid));
  std::ranges::sort(found);
  // The leader first: its tid is the pid.
  if (const auto leader = std::ranges::find(found, pid_); leader != found.end())
    std::rotate(found.begin(), leader, leader + 1);
  return found;
}

Result<std::vector<HostPid>> Process::children() const {
  std::vector<HostPid> found;
  for (const HostPid tid : TRY(threads())) {
    const Result<std::string> text = sys::read_file(dir_, task(tid, "children"));
    if (!text && (text.error().code == ENOENT || text.error().code == ESRCH)) continue;  // it ended
    if (!text) return Failure(text.error());
    const auto some = TRY(pids(*text));
    found.insert(found.end(), some.begin(), some.end());
  }
  return found;
}

Result<std::vector<proc::Mapping>> Process::mappings(Detail detail) const {
  const std::string read = TRY(text(detail == Detail::maps ? "maps" : "smaps"));
  return proc::parse_mappings(read);
}

Result<std::string> Process::link(const std::string& name) const {
  return during("process " + std::to_string(pid_.value()), sys::readlink(dir_, name));
}

Result<InnerPid> inner_pid(const proc::Keyed& status) {
  const auto pids = TRY(status.numbers("NSpid"));
  return InnerPid(static_cast<std::int32_t>(pids.back()));
}

std::string named(HostPid pid, const std::string& name) {
  return "process " + std::to_string(pid.value()) + (name.empty() ? "" : " (" + name + ")");
}

}  // namespace umbel::inspect
