// It may not be asked of a directory that holds processes itself, unless that is the true root,
// which has no cgroup.type: for most controllers the kernel answers EBUSY, and for those that know
// threads (cpu, cpuset, pids) it makes the directory a threaded domain, whose children take no
// process any more ("no internal processes", "threads", cgroup-v2.rst). The one case to cure is our
// own cgroup, handed to us to be divided: its processes move into a child. systemd says that it was
// handed over by the attribute user.delegate; where there is no systemd, as in a container, nobody
// else divides it.
#include "cgroup/subtree.h"

#include <fcntl.h>

#include <algorithm>

#include "base/text.h"
#include "cgroup/directory.h"
#include "cgroup/hierarchy.h"
#include "sys/file.h"
#include "sys/inode.h"

namespace umbel::cgroup {

namespace {

using Names = std::vector<std::string>;

Result<Names> names_in(FdRef directory, const std::string& file) {
  const std::string text = TRY(sys::read_file(directory, file));
  Names names;
  for (const std::string_view word : words(text)) names.emplace_back(word);
  return names;
}

Names without(const Names& all, const Names& taken) {
  Names left;
  std::ranges::copy_if(all, std::back_inserter(left), [&](const std::string& name) {
    return std::ranges::find(taken, name) == taken.end();
  });
  return left;
}

Result<void> enable(FdRef directory, const Names& controllers) {
  if (sys::exists(directory, "cgroup.type")) {
    const std::string inside = TRY(sys::read_file(directory, "cgroup.procs"));
    if (!inside.empty()) return fail_with(EBUSY, "there are processes in it");
  }
  std::string request;
  for (const std::string& name : controllers)
    request.append(request.empty() ? "+" : " +").append(name);
  return sys::write_file(directory, "cgroup.subtree_control", request);
}

Result<bool> ours_to_divide(const std::string& path) {
  const std::vector<Hierarchy> all = TRY(hierarchies());
  const auto mounted = std::ranges::find_if(all, &Hierarchy::unified);
  if (mounted == all.end()) return false;
  const auto own = own_directory(*mounted);
  if (!own || *own != path) return false;
  const auto delegated = TRY(sys::extended_attribute_at(path, "user.delegate"));
  return delegated ? *delegated == "1" : !sys::exists(cwd, "/run/systemd/system");
}

// Again until none is left: those that are there may fork meanwhile.
Result<void> move_callers_down(const std::string& path) {
  const Directory here("", path);
  const Directory below("", path + "/" + std::string(callers));
  auto made = sys::make_directory(cwd, below.path(), 0755);
  if (!made && made.error().code != EEXIST) return made;
  for (int round = 0; round < 100; ++round) {
    const std::vector<HostPid> pids = TRY(here.processes());
    if (pids.empty()) return {};
    for (const HostPid pid : pids) {
      auto moved = below.write("cgroup.procs", std::to_string(pid.value()));
      if (!moved && moved.error().code != ESRCH) return moved;
    }
  }
  return fail_with(EBUSY, path + " never runs out of processes of its own");
}

}  // namespace

Result<void> offer(FdRef directory, const std::string& path, const Names& controllers) {
  const Names enabled_now = TRY(during(path, names_in(directory, "cgroup.subtree_control")));
  const Names missing = without(controllers, enabled_now);
  if (missing.empty()) return {};
  const Names available = TRY(during(path, names_in(directory, "cgroup.controllers")));
  const Names absent = without(missing, available);
  if (!absent.empty()) {
    const Fd above = TRY(sys::open(directory, "..", O_PATH | O_DIRECTORY));
    const std::string above_path = path.substr(0, path.rfind('/'));
    if (!sys::exists(above, "cgroup.subtree_control"))
      return fail_with(ENOENT, path + " does not have the controller " + join(absent, ", "));
    TRY(offer(above, above_path, absent));
  }
  auto enabled = enable(directory, missing);
  if (!enabled && enabled.error().code == EBUSY) {
    const bool ours = TRY(ours_to_divide(path));
    if (!ours) return during(path, std::move(enabled));
    TRY(during("making room for controllers in " + path, move_callers_down(path)));
    enabled = enable(directory, missing);
  }
  return during(path, std::move(enabled));
}

}  // namespace umbel::cgroup
