// A container's cgroup: one directory in each hierarchy of this host (v1, hybrid) or one in all
// (v2).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "cgroup/limits.h"

namespace umbel::cgroup {

enum class Version { none, v1, hybrid, v2 };

// What is on disk of a cgroup, to find it again: hierarchy ("memory", "name=systemd", "" for v2)
// to the directory's absolute path.
using Paths = std::map<std::string, std::string>;

struct Usage {
  std::uint64_t memory = 0, memory_peak = 0, memory_limit = 0;  // bytes; limit 0: none
  std::uint64_t cpu_nanoseconds = 0, cpu_user = 0, cpu_system = 0, throttled_nanoseconds = 0;
  std::uint64_t pids = 0, pids_limit = 0;
  std::uint64_t read_bytes = 0, written_bytes = 0;
  std::uint64_t oom_kills = 0;
};

// Owns its directories: the destructor kills what is left in them and removes them, unless detach()
// was called. Opened with open() it is detached from the start.
class Cgroup {
 public:
  Cgroup() = default;
  Cgroup(Cgroup&&) noexcept;
  Cgroup& operator=(Cgroup&&) noexcept;
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;
  ~Cgroup();

  // `path` is relative to the root of every hierarchy, as this process's cgroup namespace shows it
  // ("umbel/web"). Missing parents are made, and removed again with it when they are empty. A
  // directory that exists and has processes is refused.
  static Result<Cgroup> create(const std::string& path);
  static Cgroup open(Paths paths);

  const Paths& paths() const { return paths_; }
  // cgroup2 directory for CLONE_INTO_CGROUP; nothing on v1 and hybrid hosts.
  Result<std::optional<Fd>> directory() const;

  Result<void> limit(const Limits& limits) const;
  Result<void> restrict_devices(const std::vector<DeviceRule>& rules) const;
  Result<void> add(HostPid pid) const;             // the whole process
  Result<std::vector<HostPid>> processes() const;  // of nested cgroups too
  Result<void> freeze() const;                     // returns once all have stopped
  Result<void> thaw() const;
  Result<bool> frozen() const;
  // To every process, race-free against forks for SIGKILL (cgroup.kill, or frozen meanwhile).
  Result<void> kill(int signal) const;
  Result<Usage> usage() const;

  // Removes all directories, nested ones too; waits up to `at_most` for dying processes to leave.
  Result<void> remove(std::chrono::milliseconds at_most = std::chrono::seconds(5));
  void detach() { owned_ = false; }

 private:
  Paths paths_;
  bool owned_ = false;
};

// What this host has, for info and for messages.
struct Host {
  Version version = Version::none;
  std::vector<std::string> controllers;  // that a container here can use
  bool writable = false;                 // this process may make cgroups
  std::string cure;                      // the command that makes it so, where it is not
};
Result<Host> host();

}  // namespace umbel::cgroup
