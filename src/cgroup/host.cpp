// What this host offers to whom. An ordinary user can make cgroups where an administrator, or
// systemd on a cgroup2 host, has handed a directory over ("delegation", cgroup-v2.rst).
#include <algorithm>

#include "base/text.h"
#include "cgroup/cgroup.h"
#include "cgroup/lifetime.h"
#include "sys/file.h"
#include "sys/inode.h"

namespace umbel::cgroup {

namespace {

Version version_of(const std::vector<Hierarchy>& all) {
  if (all.empty()) return Version::none;
  if (all.size() == 1 && all.front().unified()) return Version::v2;
  return all.back().unified() ? Version::hybrid : Version::v1;
}

bool writable(const Hierarchy& hierarchy) {
  if (sys::may_write(cwd, hierarchy.top)) return true;
  const auto own = own_directory(hierarchy);
  return own && sys::may_write(cwd, *own);
}

bool named(const Hierarchy& hierarchy) { return hierarchy.name.starts_with("name="); }

// Controllers of v1 hierarchies and of cgroup2, each once.
Result<std::vector<std::string>> controllers_of(const std::vector<Hierarchy>& all) {
  std::vector<std::string> found;
  for (const Hierarchy& hierarchy : all) {
    if (named(hierarchy)) continue;
    std::string text = hierarchy.name;
    if (hierarchy.unified()) text = TRY(sys::read_file(cwd, hierarchy.top + "/cgroup.controllers"));
    for (const std::string_view name : hierarchy.unified() ? words(text) : split(text, ','))
      found.emplace_back(name);
  }
  std::ranges::sort(found);
  const auto doubles = std::ranges::unique(found);
  found.erase(doubles.begin(), doubles.end());
  return found;
}

}  // namespace

std::string cure(const std::vector<Hierarchy>& all) {
  if (all.empty()) return "mount -t cgroup2 cgroup2 /sys/fs/cgroup";
  if (version_of(all) == Version::v2 && sys::exists(cwd, "/run/systemd/system"))
    return "start it from a shell in a cgroup of your own: "
           "systemd-run --user --scope -p Delegate=yes $SHELL";
  // The directory and what a delegate writes to in it (cgroup-v2.rst, "Model of Delegation").
  std::string tops;
  for (const Hierarchy& hierarchy : all) tops.append(" ").append(hierarchy.top);
  return "have a cgroup handed to you: for d in" + tops +
         "; do sudo mkdir -p $d/$USER; sudo chown $USER $d/$USER $d/$USER/cgroup.procs; "
         "for f in tasks cgroup.threads cgroup.subtree_control; do "
         "[ -e $d/$USER/$f ] && sudo chown $USER $d/$USER/$f; done; "
         "[ -e $d/cpuset.cpus ] && for f in cpus mems; do "
         "cat $d/cpuset.$f | sudo tee $d/$USER/cpuset.$f; done; "
         "echo $$ | sudo tee $d/$USER/cgroup.procs; done";
}

Result<Host> host() {
  const std::vector<Hierarchy> all = TRY(hierarchies());
  Host found{.version = version_of(all)};
  found.controllers = TRY(controllers_of(all));
  found.writable = !all.empty() && std::ranges::all_of(all, writable);
  if (!found.writable) found.cure = cure(all);
  return found;
}

}  // namespace umbel::cgroup
