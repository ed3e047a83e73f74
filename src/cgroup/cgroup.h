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
#include "cgroup/directory.h"
#include "cgroup/hierarchy.h"
#include "cgroup/limits.h"

namespace umbel::cgroup {

enum class Version { none, v1, hybrid, v2 };

// What is on disk of a cgroup, to find it again: hierarchy ("memory", "name=systemd", "" for v2)
// to the directory's absolute path.
using Paths = std::map<std::string, std::string>;

// Since the cgroup was made; zero is also what this host does not count.
struct Usage {
  std::uint64_t memory = 0, memory_peak = 0, memory_limit = 0;  // bytes; limit 0: none
  std::uint64_t memory_cache = 0, memory_inactive_file = 0;     // part of `memory`
  std::uint64_t memory_failures = 0;                            // times the limit was hit
  std::uint64_t swap = 0, swap_limit = 0;                       // bytes of swap alone
  std::uint64_t cpu_nanoseconds = 0, cpu_user = 0, cpu_system = 0, throttled_nanoseconds = 0;
  std::uint64_t periods = 0, throttled_periods = 0;
  std::uint64_t pids = 0, pids_limit = 0;
  std::uint64_t read_bytes = 0, written_bytes = 0, read_operations = 0, write_operations = 0;
  std::uint64_t oom_kills = 0;
};

// Owns its directories: the destructor kills what is left in them and removes them, unless detach()
// was called. Opened with open() it is detached from the start.
class Cgroup {
 public:
  Cgroup() = default;
  Cgroup(Cgroup&& other) noexcept;
  Cgroup& operator=(Cgroup&& other) noexcept;
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;
  ~Cgroup();

  // `path` is relative to the root of every hierarchy, as this process's cgroup namespace shows it
  // ("umbel/web"), or to this process's own cgroup where it may not write to the root. Missing
  // parents are made, and removed again with the last of their children. A directory that exists is
  // taken over; with processes in it, it is refused (EEXIST). Hierarchies that this process may not
  // write to are left out; if that leaves none the error is EACCES, EPERM or EROFS, and EOPNOTSUPP
  // if this host has none at all: a container that asks for no limit can then do without.
  static Result<Cgroup> create(const std::string& path);

  // create() in two steps, so that the second can run while the child that shall live there sets
  // itself up: prepare(), clone the child into directory(), complete(), let the child enter().
  static Result<Cgroup> prepare(const std::string& path);
  static Result<Cgroup> prepare(const std::vector<Hierarchy>& hierarchies, const std::string& path);
  Result<void> complete();

  static Cgroup open(const Paths& paths);

  Paths paths() const;
  // cgroup2 directory for CLONE_INTO_CGROUP; nothing where there is no cgroup2. On a hybrid host it
  // holds the process beside the v1 hierarchies, for which enter() or add() is still needed.
  // Valid while this lives. clone3 answers EBUSY where what runs in it has divided it, as systemd
  // does; add() knows what to do then.
  Result<std::optional<FdRef>> directory() const;

  // For a single-threaded child that was cloned into directory(): enters all other hierarchies,
  // with its own copy of this object and the parent's descriptors, so the root may have changed
  // meanwhile if this was made by create() or prepare(). 5 ms faster than add() on a quiet machine.
  // A child in a new user namespace can enter only what create() has made.
  // A cgroup namespace shows as its root what the process was in when it was unshared: unshare
  // afterwards. If it fails, the parent can still add().
  Result<void> enter() const;
  Result<void> add(HostPid pid) const;  // the whole process, to every hierarchy

  // A limit that this host can't keep is refused with its name and a cure (EOPNOTSUPP); those
  // before it are in force then.
  Result<void> limit(const Limits& limits) const;
  // Replaces the rules that were in force. Within a user namespace the kernel refuses this (EPERM),
  // and it is not needed: no device node can be made there.
  Result<void> restrict_devices(const std::vector<DeviceRule>& rules) const;

  Result<std::vector<HostPid>> processes() const;  // of nested cgroups too; sorted
  // Returns once all have stopped; if one does not in time, all run on, and the error names it.
  Result<void> freeze(std::chrono::milliseconds at_most = std::chrono::seconds(10)) const;
  Result<void> thaw() const;
  Result<bool> frozen() const;
  // To every process, of nested cgroups too; race-free against forks for SIGKILL (cgroup.kill, or
  // frozen meanwhile), which also thaws.
  Result<void> kill(int signal) const;
  Result<Usage> usage() const;

  // Removes all directories, nested ones too; waits up to `at_most` for dying processes to leave.
  Result<void> remove(std::chrono::milliseconds at_most = std::chrono::seconds(5));
  void detach() { owned_ = false; }

 private:
  void end() noexcept;
  Result<void> make(std::vector<Directory>::iterator planned);
  const Directory* unified() const;
  const Directory* controlled(std::string_view controller) const;

  std::vector<Directory> directories_;  // that exist
  std::vector<Directory> planned_;      // that complete() will make
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
