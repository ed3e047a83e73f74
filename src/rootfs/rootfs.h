// Makes a container's file system, by descriptor from beginning to end, in two halves.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "rootfs/plan.h"
#include "rootfs/spec.h"

namespace umbel::rootfs {

// Made in the launcher, with its rights and in its mount namespace. Errors such as an unknown
// option, a missing root or source come from here, before anything was started.
struct Prepared {
  // Detached copies of the root directory and of the sources of binds (one a mount). Absent where
  // there is none, and all absent where the launcher may not make them (an ordinary user): then the
  // child, which may in its own user namespace, opens them by their paths.
  Fd root;
  std::vector<Fd> sources;
  std::vector<Plan> plans;  // one a mount
};
// The container's own id mappings, if it has a user namespace: what "idmap" without mappings uses.
struct Mappings {
  std::vector<IdMapping> uids, gids;
};
Result<Prepared> prepare(const Spec& spec, const Mappings& own = {});

// What the container's namespaces allow: a new proc, sysfs, mqueue or cgroup mount needs the
// matching namespace to be owned by the mount namespace's user namespace; otherwise the host's is
// bound.
struct Rights {
  bool pid_owned = true, net_owned = true, ipc_owned = true, cgroup_owned = true;
  bool user_new = false;   // in a new user namespace: no mknod, devices are bound
  bool cgroup_new = true;  // a cgroup namespace of its own: shows its own subtree
};

struct Built {
  Fd root;
  std::vector<std::string> notes;  // what could not be had and what was done instead
};
// Called while the tree is made; the old root is still there.
struct Moments {
  // Once, as late as possible: from then on cgroups are mounted and memory is filled, so the
  // process must have joined its cgroups and have its cgroup namespace.
  std::function<Result<void>()> settle = {};
  // Everything is mounted. The new root can be reached at spec.root.path.
  std::function<Result<void>()> filled = {};
};
// In the child, in its own mount namespace with the host's root still there, after it has joined
// its other namespaces: makes the tree and makes it the root (pivot_root). The old root is gone
// when it returns. After an error the mount namespace is of no use any more.
Result<Built> build(const Spec& spec, Prepared prepared, const Rights& rights,
                    const Moments& moments = {});

// Puts the container's own terminal at /dev/console; `pts` is its slave's path inside. Before or
// after the root has become the process's own.
Result<void> bind_console(FdRef root, const std::string& pts);

// The changes of a running overlay container against the host (the caller's own "/"), sorted by
// path: what was added, changed or deleted. A directory is changed too where something in it is.
struct Change {
  char kind = 'A';  // A, C or D
  std::string path;
};
Result<std::vector<Change>> changes(FdRef mount_namespace, const Root& root);

}  // namespace umbel::rootfs
