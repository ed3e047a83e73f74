// Makes a container's file system, by descriptor from beginning to end, in two halves.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "rootfs/spec.h"

namespace umbel::rootfs {

// Opened in the launcher, with its rights and in its mount namespace: the root directory, the
// sources of binds (as detached copies where the launcher may make them), id-map user namespaces.
// Errors such as a missing root or source come from here, before anything was started.
struct Prepared {
  Fd root;                  // absent for the overlay
  std::vector<Fd> sources;  // one a mount; absent where the mount needs none
  std::vector<Fd> id_maps;  // one a mount; absent where it has no mappings
};
Result<Prepared> prepare(const Spec& spec);

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
// In the child, in its own mount namespace with the host's root still there: makes the tree and
// makes it the root (pivot_root). The old root is gone when it returns.
Result<Built> build(const Spec& spec, Prepared prepared, const Rights& rights);

// Puts the container's own terminal at /dev/console; `pts` is its slave's path inside.
Result<void> bind_console(FdRef root, const std::string& pts);

// The changes of a running overlay container against the host, seen from its init process: what was
// added, changed or deleted.
struct Change {
  char kind = 'A';  // A, C or D
  std::string path;
};
Result<std::vector<Change>> changes(FdRef mount_namespace, const Root& root);

}  // namespace umbel::rootfs
