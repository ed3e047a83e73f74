// What /proc tells about a process, read without stopping it.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "proc/keyed.h"
#include "proc/maps.h"
#include "proc/stat.h"

namespace umbel::inspect {

// Held by its directory in /proc, so that a pid that was used again is not mistaken for it: what is
// read after its end is ESRCH or ENOENT.
class Process {
 public:
  static Result<Process> open(HostPid pid);
  // The same process looked at through another thread of it: when the first has ended, nothing
  // about memory or descriptors can be read through that any more.
  static Result<Process> through(HostPid pid, HostPid tid);

  HostPid pid() const { return pid_; }
  FdRef dir() const { return dir_; }

  // Of the process, or of one of its threads.
  Result<proc::Stat> stat() const;
  Result<proc::Stat> stat(HostPid tid) const;
  Result<proc::Keyed> status() const;
  Result<proc::Keyed> status(HostPid tid) const;

  Result<std::vector<HostPid>> threads() const;
  // In the order in which they were born.
  Result<std::vector<HostPid>> children() const;
  // From smaps: with flags and page sizes. From maps: much cheaper.
  enum class Detail { maps, smaps };
  Result<std::vector<proc::Mapping>> mappings(Detail detail) const;
  // A symbolic link of it: exe, cwd, root.
  Result<std::string> link(const std::string& name) const;
  Result<std::string> text(const std::string& name) const;

 private:
  Process(HostPid pid, Fd dir) : pid_(pid), dir_(std::move(dir)) {}
  HostPid pid_;
  Fd dir_;
};

// The pid as the process's own pid namespace counts: the last of NSpid.
Result<InnerPid> inner_pid(const proc::Keyed& status);
// For messages: "process 12 (redis-server)".
std::string named(HostPid pid, const std::string& name);

}  // namespace umbel::inspect
