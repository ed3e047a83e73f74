// What the steps of build() share while a container's root is being made. Not for other folders.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "rootfs/place.h"
#include "rootfs/plan.h"
#include "rootfs/rootfs.h"
#include "rootfs/spec.h"

namespace umbel::rootfs {

struct Build {
  const Spec& spec;
  Prepared prepared;
  const Rights& rights;
  Propagation propagation;  // of the root
  bool seen_by_hooks = false;
  std::function<Result<void>()> settle = {};
  Fd root = {};
  // Of the overlay: the tmpfs beneath the root, and the file systems that make up the host's tree.
  Fd hidden = {};
  std::vector<Fd> layers = {};
  // Become read-only last, when all that is to lie in them does.
  std::vector<Fd> read_only_later = {};
  std::vector<std::string> notes = {};

  // Directories of file systems that were made here, so that nobody else can have put a link there:
  // what goes into them needs no search.
  struct Fresh {
    std::string path;
    Fd directory;
  };
  std::vector<Fresh> fresh = {};
  const Fresh* fresh_at(std::string_view path) const;

  // Mounted at /proc and /sys and seen to be just that.
  std::optional<Fd> proc = std::nullopt, sysfs = std::nullopt;
};

// The steps, in their order.
Result<void> stack_overlay(Build& build);   // overlay.cpp; fills root, hidden, layers
Result<void> mount_all(Build& build);       // mounts.cpp; fills proc and sysfs
Result<void> make_devices(Build& build);    // devices.cpp
Result<void> restrict_paths(Build& build);  // masks.cpp

// Shared by them.

// Moments::settle, at the first call.
Result<void> settle(Build& build);

// Attaches a detached mount at a clean path, which is made in the mount's own shape if missing.
Result<void> attach_inside(Build& build, FdRef mount, const std::string& path, Shape shape);
// Opens the place of a mount, refusing what leads into /proc or /sys by a link.
Result<Fd> open_destination(Build& build, const std::string& path, Shape shape);
// cgroups.cpp: mounts at plan.destination what OCI's type cgroup stands for on this host.
Result<void> mount_cgroups(Build& build, const Mount& mount, const Plan& plan);
// The host's node of this device, or an error; O_PATH.
Result<Fd> open_host_device(const Device& device);
// copy.cpp: with owners, modes and times; never follows a symbolic link or enters another mount.
Result<void> copy_tree(FdRef from, FdRef to);
Result<Shape> shape_of(FdRef file);

}  // namespace umbel::rootfs
