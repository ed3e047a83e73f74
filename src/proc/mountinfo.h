// /proc/PID/mountinfo (proc_pid_mountinfo(5)): the mounts that a process sees, in the order in
// which they were made.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace umbel::proc {

struct Mount {
  std::int64_t id = 0, parent = 0;
  std::uint32_t major = 0, minor = 0;
  std::string root;     // of the mount within its file system
  std::string point;    // where it is attached, seen from the process's root
  std::string options;  // of this mount: rw,nosuid
  // Peer groups; 0 is none.
  std::int64_t shared = 0, master = 0, propagate_from = 0;
  bool unbindable = false;
  std::string type, source;
  std::string super_options;  // of the file system
};

Result<Mount> parse_mount(std::string_view line);
Result<std::vector<Mount>> parse_mounts(std::string_view text);

// Whether a path lookup of its mount point no longer finds it: another mount lies on top of it, or
// over a directory above.
bool hidden(const Mount& mount, std::span<const Mount> mounts);

// The mount that an absolute path without symbolic links lies on; nullptr when there is none.
const Mount* mount_of(std::string_view path, std::span<const Mount> mounts);

}  // namespace umbel::proc
