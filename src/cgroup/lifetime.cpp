// Who is in a cgroup, signals to all of them, and its removal. rmdir answers EBUSY both for nested
// cgroups and for processes, also for those that have been killed and have not left yet; only the
// first can be hurried.
#include "cgroup/lifetime.h"

#include <algorithm>

#include "base/text.h"
#include "cgroup/cgroup.h"
#include "sys/file.h"
#include "sys/inode.h"
#include "sys/process.h"
#include "sys/wait.h"

namespace umbel::cgroup {

namespace {

using Clock = std::chrono::steady_clock;

Result<void> collect(const Directory& directory, std::vector<HostPid>& into) {
  const auto here = directory.processes();
  // EOPNOTSUPP: part of a threaded domain, whose processes the domain itself lists.
  if (!here && here.error().code != EOPNOTSUPP) return Failure(here.error());
  if (here) into.insert(into.end(), here->begin(), here->end());
  for (const Directory& nested : TRY(directory.nested())) {
    const auto collected = collect(nested, into);
    if (!collected && collected.error().code != ENOENT && collected.error().code != ENODEV)
      return collected;
  }
  return {};
}

// "13 (dd, which waits for a device)"
std::string described(HostPid pid) {
  std::string number = std::to_string(pid.value());
  const auto text = sys::read_file(cwd, "/proc/" + number + "/stat");
  if (!text) return number;
  const std::size_t open = text->find('(');
  const std::size_t close = text->rfind(')');
  if (open == text->npos || close == text->npos || close + 2 >= text->size()) return number;
  const char state = (*text)[close + 2];
  std::string_view more;
  if (state == 'D') more = ", which waits for a device";
  if (state == 'Z') more = ", which has ended and is not reaped";
  return number + " (" + text->substr(open + 1, close - open - 1) + std::string(more) + ")";
}

Result<void> signal_all(const std::vector<HostPid>& pids, int signal) {
  for (const HostPid pid : pids) {
    const auto pidfd = sys::pidfd_open(pid);
    const auto sent = pidfd ? sys::pidfd_signal(*pidfd, signal) : Failure(pidfd.error());
    if (!sent && sent.error().code != ESRCH)
      return during("process " + std::to_string(pid.value()), sent);
  }
  return {};
}

// Until no others are found: without a freezer they may fork meanwhile.
Result<void> kill_each(const Cgroup& cgroup) {
  std::vector<HostPid> killed;
  for (int round = 0; round < 1000; ++round) {
    std::vector<HostPid> found = TRY(cgroup.processes());
    std::vector<HostPid> fresh;
    std::ranges::set_difference(found, killed, std::back_inserter(fresh));
    if (fresh.empty()) return {};
    TRY(signal_all(fresh, SIGKILL));
    killed = std::move(found);
  }
  return fail_with(EBUSY, "processes appear faster than they can be killed");
}

}  // namespace

Result<std::vector<HostPid>> processes_below(const Directory& directory) {
  std::vector<HostPid> pids;
  TRY(collect(directory, pids));
  std::ranges::sort(pids);
  const auto doubles = std::ranges::unique(pids);
  pids.erase(doubles.begin(), doubles.end());
  return pids;
}

std::string described(const std::vector<HostPid>& pids) {
  constexpr std::size_t most = 5;
  std::string text = pids.size() == 1 ? "process " : "processes ";
  for (std::size_t i = 0; i < pids.size() && i < most; ++i)
    text.append(i == 0 ? "" : ", ").append(described(pids[i]));
  if (pids.size() > most) text += " and " + std::to_string(pids.size() - most) + " more";
  return text;
}

Result<void> add_below(const Directory& directory, const std::string& pid) {
  for (const Directory& nested : TRY(directory.nested())) {
    const auto inside = nested.processes();
    if (inside && !inside->empty()) return nested.write("cgroup.procs", pid);
    if (add_below(nested, pid)) return {};
  }
  return fail_with(EBUSY, directory.path() +
                              " has controllers for its children, and takes no "
                              "process itself, and none of them has one");
}

Result<void> remove_once(const Directory& directory) {
  Result<void> removed = sys::remove_directory(cwd, directory.path());
  if (removed || removed.error().code == ENOENT) return {};
  if (removed.error().code != EBUSY) return removed;
  const auto nested = directory.nested();
  if (!nested || nested->empty()) return removed;
  for (const Directory& inner : *nested) TRY(remove_once(inner));
  removed = sys::remove_directory(cwd, directory.path());
  if (!removed && removed.error().code == ENOENT) return {};
  return removed;
}

void remove_parents(const Directory& directory) {
  std::string path = directory.parent_path();
  for (;;) {
    const auto mark = sys::extended_attribute_at(path, made_here);
    if (!mark || !*mark || !sys::remove_directory(cwd, path)) return;
    path = Directory(directory.hierarchy(), path).parent_path();
  }
}

Result<std::vector<HostPid>> Cgroup::processes() const {
  const Directory* here = unified();
  if (here == nullptr && !directories_.empty()) here = &directories_.front();
  if (here == nullptr) return std::vector<HostPid>();
  Result<std::vector<HostPid>> found = processes_below(*here);
  if (!found && (found.error().code == ENOENT || found.error().code == ENODEV))
    return std::vector<HostPid>();
  return found;
}

Result<void> Cgroup::kill(int signal) const {
  if (signal != SIGKILL) return signal_all(TRY(processes()), signal);
  const Directory* freezer = controlled("freezer");
  Result<void> killed;
  if (unified() != nullptr) {
    killed = unified()->write("cgroup.kill", "1");
  } else {
    // One that can't be frozen must be killed nonetheless.
    if (freezer != nullptr) (void)freeze(std::chrono::milliseconds(500));
    killed = kill_each(*this);
  }
  // What v1 has frozen stays, even killed.
  if (freezer != nullptr) TRY(set_frozen(*freezer, Frozen::no));
  return killed;
}

Result<void> Cgroup::remove(std::chrono::milliseconds at_most) {
  const auto deadline = Clock::now() + at_most;
  auto pause = std::chrono::microseconds(50);
  for (const Directory& directory : std::exchange(planned_, {})) remove_parents(directory);
  for (;;) {
    Result<void> problem;
    std::erase_if(directories_, [&](const Directory& directory) {
      const Result<void> removed = remove_once(directory);
      if (removed)
        remove_parents(directory);
      else
        problem = during("removing the cgroup " + directory.path(), removed);
      return removed.has_value();
    });
    if (directories_.empty()) break;
    if (problem.error().code != EBUSY) return problem;
    if (Clock::now() >= deadline) {
      const auto inside = processes_below(directories_.front());
      if (inside && !inside->empty())
        return fail_with(
            EBUSY,
            "the cgroup " + directories_.front().path() + " still holds " + described(*inside),
            "end what runs in it first");
      return problem;
    }
    sys::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::microseconds(5000));
  }
  owned_ = false;
  return {};
}

}  // namespace umbel::cgroup
