// mountinfo says all: a v1 hierarchy's controllers are among the options of its super block, and
// the options that are none are a closed list, since v1 gets no new ones (cgroup1_show_options).
// A hierarchy can be mounted more than once; wanted is the mount that shows the most of it and that
// a lookup still finds.
#include "cgroup/hierarchy.h"

#include <fcntl.h>
#include <linux/magic.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "proc/cgroup.h"
#include "proc/mountinfo.h"
#include "sys/file.h"

namespace umbel::cgroup {

namespace {

std::string controllers_of(std::string_view super_options) {
  static constexpr std::array<std::string_view, 7> no_controllers{
      "rw", "ro", "xattr", "noprefix", "clone_children", "cpuset_v2_mode", "favordynmods"};
  std::string controllers;
  for (const std::string_view option : split(super_options, ',')) {
    if (std::ranges::count(no_controllers, option) != 0 || option.starts_with("release_agent="))
      continue;
    controllers.append(controllers.empty() ? "" : ",").append(option);
  }
  return controllers;
}

Result<std::vector<Hierarchy>> mounted() {
  const std::string text = TRY(sys::read_file(cwd, "/proc/self/mountinfo"));
  return hierarchies_in(text);
}

// The one with the shorter root shows more; of equals the first was put there by the system.
bool better(const Hierarchy& one, const Hierarchy& other) {
  return one.root.size() < other.root.size();
}

}  // namespace

Result<std::vector<Hierarchy>> hierarchies_in(std::string_view mountinfo) {
  const std::vector<proc::Mount> mounts = TRY(proc::parse_mounts(mountinfo));
  std::vector<Hierarchy> found;
  for (const proc::Mount& mount : mounts) {
    const bool unified = mount.type == "cgroup2";
    if ((!unified && mount.type != "cgroup") || proc::hidden(mount, mounts)) continue;
    Hierarchy made{.name = unified ? "" : controllers_of(mount.super_options),
                   .top = mount.point,
                   .root = mount.root};
    const auto same = std::ranges::find(found, made.name, &Hierarchy::name);
    if (same == found.end())
      found.push_back(std::move(made));
    else if (better(made, *same))
      *same = std::move(made);
  }
  const auto unified = std::ranges::find_if(found, &Hierarchy::unified);
  if (unified != found.end()) std::rotate(unified, unified + 1, found.end());
  return found;
}

Result<std::vector<Hierarchy>> hierarchies() {
  // Most hosts have cgroup2 alone, and a busy one thousands of mounts: this answer costs nothing. A
  // v1 hierarchy that somebody has mounted elsewhere beside it is none of ours.
  const std::string usual = "/sys/fs/cgroup";
  const auto there = sys::open(cwd, usual, O_PATH | O_DIRECTORY);
  const auto type = there ? sys::file_system(*there) : Failure(there.error());
  if (type && type->f_type == CGROUP2_SUPER_MAGIC)
    return std::vector<Hierarchy>{{.name = "", .top = usual, .root = ""}};
  return mounted();
}

Result<std::string> own_directory_in(const Hierarchy& hierarchy, std::string_view memberships) {
  for (const proc::Membership& mine : TRY(proc::parse_memberships(memberships))) {
    if (mine.controllers != hierarchy.name) continue;
    const std::string root = hierarchy.root == "/" ? "" : hierarchy.root;
    const bool inside = mine.path == root || mine.path.starts_with(root + "/");
    if (!inside || mine.path.starts_with("/..")) break;
    std::string path = mine.path.substr(root.size());
    if (path == "/") path.clear();
    if (path.ends_with("/" + std::string(callers))) path.resize(path.size() - callers.size() - 1);
    return hierarchy.top + path;
  }
  return fail("this process's own cgroup is not below " + hierarchy.top);
}

Result<std::string> own_directory(const Hierarchy& hierarchy) {
  const std::string memberships = TRY(sys::read_file(cwd, "/proc/self/cgroup"));
  if (!hierarchy.root.empty()) return own_directory_in(hierarchy, memberships);
  const std::vector<Hierarchy> all = TRY(mounted());
  for (const Hierarchy& known : all)
    if (known.name == hierarchy.name) return own_directory_in(known, memberships);
  return fail(hierarchy.top + " is not mounted");
}

}  // namespace umbel::cgroup
