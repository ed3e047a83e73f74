// What needs the launcher's rights and its view of the host is fetched before the child exists:
// open_tree(2) with OPEN_TREE_CLONE opens and copies in one call, so that nothing that happens to
// the path later can put another directory in its place. It needs CAP_SYS_ADMIN over the mount
// namespace; an ordinary user's child opens the paths itself, in its own user namespace.
#include <linux/mount.h>
#include <unistd.h>

#include "rootfs/build.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/process.h"

namespace umbel::rootfs {

namespace {

std::string map_text(const std::vector<IdMapping>& mappings) {
  std::string text;
  for (const IdMapping& m : mappings)
    text += std::to_string(m.inside) + " " + std::to_string(m.outside) + " " +
            std::to_string(m.count) + "\n";
  return text;
}

// A user namespace that exists only to be named in mount_setattr(2); the process that makes it ends
// at once.
Result<Fd> id_map_namespace(const Mappings& mappings) {
  const sys::Process holder = TRY(sys::start({.flags = CLONE_NEWUSER}, [] {
    ::pause();
    return 0;
  }));
  const std::string directory = "/proc/" + std::to_string(holder.pid().value());
  TRY(sys::write_file(cwd, directory + "/uid_map", map_text(mappings.uids)));
  TRY(sys::write_file(cwd, directory + "/gid_map", map_text(mappings.gids)));
  return sys::open(cwd, directory + "/ns/user", O_RDONLY);
}

Result<void> map_ids(FdRef tree, const Plan& plan, const Mount& mount, const Mappings& own) {
  const Mappings mappings =
      mount.uid_mappings.empty() ? own : Mappings{mount.uid_mappings, mount.gid_mappings};
  if (mappings.uids.empty() || mappings.gids.empty())
    return fail(
        "the option idmap needs uidMappings and gidMappings, of the mount or of the "
        "container's user namespace");
  const Fd names =
      TRY(during("making a user namespace of the mappings", id_map_namespace(mappings)));
  const sys::Depth depth = plan.id_map == IdMap::tree ? sys::Depth::recursive : sys::Depth::one;
  return during(
      "mapping its ids",
      advise("some file systems cannot be id-mapped on this kernel; use another one",
             sys::set_attributes(tree, depth, {.set = MOUNT_ATTR_IDMAP, .id_map = names})));
}

// Absent without an error where only a child in a user namespace can make the copy.
Result<Fd> copied(const std::string& path, sys::Depth depth) {
  Result<Fd> tree = sys::clone_tree(cwd, path, depth);
  if (tree || tree.error().code != EPERM) return tree;
  TRY(sys::open(cwd, path, O_PATH));  // that it exists is worth knowing now
  return Fd();
}

}  // namespace

Result<Prepared> prepare(const Spec& spec, const Mappings& own) {
  Prepared made;
  TRY(propagation(spec.root.propagation));
  if (!spec.root.path.empty())
    // The dot makes a file an error.
    made.root = TRY(during("opening the root file system " + spec.root.path,
                           advise("give the path of a directory that holds a root file system",
                                  copied(spec.root.path + "/.", sys::Depth::recursive))));
  for (const Mount& mount : spec.mounts) {
    const auto prepared = [&]() -> Result<void> {
      Plan planned = TRY(plan(mount));
      Fd source;
      if (planned.kind == Plan::Kind::bind) {
        source = TRY(advise("create it, or correct the mount's source",
                            during("opening its source", copied(mount.source, planned.depth))));
        if (source && planned.id_map != IdMap::none) TRY(map_ids(source, planned, mount, own));
      }
      made.plans.push_back(std::move(planned));
      made.sources.push_back(std::move(source));
      return {};
    }();
    TRY(during("mount " + mount.destination, prepared));
  }
  return made;
}

}  // namespace umbel::rootfs
