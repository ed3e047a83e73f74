// What a person can ask of a new container, as it was written: run and create share it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "cli/umbel/limits.h"
#include "cli/umbel/options.h"
#include "ns/kind.h"

namespace umbel::cli {

using Text = std::optional<std::string>;
using Texts = std::vector<std::string>;

struct RunOptions {
  std::array<Text, ns::kind_count> kinds;  // by ns::index
  Texts uid_map, gid_map;
  Text time_offset, hostname, domainname;

  Text rootfs, bundle, overlay, overlay_size, shm_size;
  Texts volumes, tmpfs, devices;
  bool read_only = false;

  Texts command;
  bool detach = false, interactive = false, terminal = false, no_init = false;
  Texts env, env_files, ulimits;
  Text workdir, user, stop_signal;
  std::string detach_keys;

  Texts cap_add, cap_drop;
  Text seccomp;
  bool privileged = false, nest = false;

  LimitOptions limits;
  Text cgroup_parent;

  std::string name;
  Texts labels;
  Text pid_file;
  bool remove = false;
  Text policy;
  bool force = false;
};

Syntax run_syntax(RunOptions& options);
// The same without what only a start can have: --detach.
Syntax create_syntax(RunOptions& options);

}  // namespace umbel::cli
