// OCI's type cgroup stands for whatever this host has. A unified host (cgroup2 at /sys/fs/cgroup)
// gives one cgroup2 mount; otherwise the container gets a tmpfs with one directory a hierarchy, and
// links from each controller to the hierarchy that it shares with others (cpu -> cpu,cpuacct).
//
// cgroup_namespaces(7): a mount made in a cgroup namespace shows the part of the hierarchy that
// starts at the namespace's root. Without a namespace of the container's own the same part is bound
// from the host's mount, at the path that /proc/self/cgroup tells.
#include <linux/magic.h>
#include <linux/mount.h>

#include "base/text.h"
#include "proc/cgroup.h"
#include "rootfs/build.h"
#include "sys/file.h"
#include "sys/mount.h"

namespace umbel::rootfs {

namespace {

const std::string host_directory = "/sys/fs/cgroup";

using Hierarchy = proc::Membership;

std::string directory_of(const Hierarchy& hierarchy) {
  const std::string& controllers = hierarchy.controllers;
  if (controllers.empty()) return "unified";
  return controllers.starts_with("name=") ? controllers.substr(5) : controllers;
}

Result<std::vector<Hierarchy>> hierarchies() {
  return proc::parse_memberships(TRY(sys::read_file(cwd, "/proc/self/cgroup")));
}

Result<Fd> new_mount(const Hierarchy& hierarchy, const Plan& plan) {
  const bool unified = hierarchy.controllers.empty();
  sys::FileSystem made = TRY(sys::FileSystem::open(unified ? "cgroup2" : "cgroup"));
  TRY(made.set("source", "cgroup"));
  if (hierarchy.controllers.starts_with("name=")) {
    TRY(made.flag("none"));
    TRY(made.set("name", hierarchy.controllers.substr(5)));
  } else {
    for (const std::string_view controller : split(hierarchy.controllers, ','))
      TRY(made.flag(std::string(controller)));
  }
  return made.mount(plan.top.set | plan.tree.set);
}

// Host directories may list the controllers in another order, but then each has a link.
Result<Fd> host_part(const Hierarchy& hierarchy, const std::string& base, const Plan& plan) {
  const auto open = [&]() -> Result<Fd> {
    Result<Fd> part = sys::clone_tree(cwd, base + hierarchy.path, sys::Depth::one);
    const std::optional<Halves> first = cut(hierarchy.controllers, ',');
    if (part || part.error().code != ENOENT || !first) return part;
    return sys::clone_tree(cwd, host_directory + "/" + std::string(first->before) + hierarchy.path,
                           sys::Depth::one);
  };
  Fd part = TRY(open());
  TRY(sys::set_attributes(part, sys::Depth::one,
                          {.set = plan.top.set | plan.tree.set, .propagation = MS_PRIVATE}));
  return part;
}

Result<Fd> one_hierarchy(const Build& build, const Hierarchy& hierarchy, const std::string& base,
                         const Plan& plan) {
  if (build.rights.cgroup_new && build.rights.cgroup_owned) {
    Result<Fd> made = new_mount(hierarchy, plan);
    if (made || made.error().code != EPERM) return made;
  }
  return host_part(hierarchy, base, plan);
}

Result<void> mount_unified(Build& build, const Plan& plan, const std::vector<Hierarchy>& all,
                           const std::string& base) {
  Hierarchy unified;
  for (const Hierarchy& h : all)
    if (h.controllers.empty()) unified = h;
  if (unified.path.empty())
    return fail("this kernel has no cgroup2 hierarchy", "use a mount of type cgroup");
  const Fd made = TRY(one_hierarchy(build, unified, base, plan));
  return attach_inside(build, made, plan.destination, Shape::directory);
}

Result<void> add_hierarchy(Build& build, FdRef top, const Hierarchy& hierarchy, const Plan& plan) {
  const std::string name = directory_of(hierarchy);
  const Result<Fd> made = one_hierarchy(build, hierarchy, host_directory + "/" + name, plan);
  // The host may have a hierarchy without showing it at the usual place.
  if (!made) return made.error().code == ENOENT ? Result<void>() : Failure(made.error());
  TRY(sys::make_directory(top, name, 0755));
  TRY(sys::attach_at(*made, top, name));
  if (hierarchy.controllers.contains(','))
    for (const std::string_view controller : split(hierarchy.controllers, ','))
      TRY(sys::symlink(name, top, std::string(controller)));
  return {};
}

}  // namespace

Result<void> mount_cgroups(Build& build, const Mount& mount, const Plan& plan) {
  TRY(settle(build));
  const std::vector<Hierarchy> all = TRY(hierarchies());
  const Result<Fd> host = sys::open(cwd, host_directory, O_PATH | O_DIRECTORY);
  if (!host || all.empty()) {
    build.notes.push_back(plan.destination + " is left out: this host has no cgroups mounted");
    return {};
  }
  const struct statfs system = TRY(sys::file_system(*host));
  if (system.f_type == CGROUP2_SUPER_MAGIC) return mount_unified(build, plan, all, host_directory);
  if (mount.type == "cgroup2") return mount_unified(build, plan, all, host_directory + "/unified");

  sys::FileSystem made = TRY(sys::FileSystem::open("tmpfs"));
  TRY(made.set("source", "cgroup"));
  TRY(made.set("mode", "755"));
  const Attributes& top_wants = plan.top;
  const std::uint64_t read_only = (top_wants.set | plan.tree.set) & MOUNT_ATTR_RDONLY;
  const Fd top = TRY(made.mount((top_wants.set | plan.tree.set) & ~read_only));
  TRY(attach_inside(build, top, plan.destination, Shape::directory));
  for (const Hierarchy& hierarchy : all)
    TRY(during(directory_of(hierarchy), add_hierarchy(build, top, hierarchy, plan)));
  if (read_only == 0) return {};
  return sys::set_attributes(top, sys::Depth::one, {.set = read_only});
}

}  // namespace umbel::rootfs
