// Starts a saved tree of processes again.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "base/error.h"
#include "checkpoint/cradle.h"
#include "checkpoint/dump.h"
#include "checkpoint/image/store.h"
#include "sys/process.h"

namespace umbel::checkpoint {

struct RestoreOptions {
  bool sibling = false;  // a child of the caller's parent
  bool leave_stopped = false;
  bool shell_job = false;  // takes the caller's session
  // Descriptors of the caller's that take the place of what was linked to these texts at the dump.
  std::map<std::string, int> inherited = {};
  // Masters of the terminals that the tree was on: one that is there already, by its number here;
  // otherwise it is made, and handed over to `new_master`.
  int console = -1;
  std::function<Result<void>(FdRef master)> new_master = {};
  std::function<Result<void>(Stage, HostPid root)> at = {};
};

struct RestoreStatistics {
  std::chrono::microseconds total{}, forking{};
  std::uint64_t pages_restored = 0, processes = 0, threads = 0;
};

struct Restored {
  HostPid root;
  Fd pidfd;
  RestoreStatistics statistics;
};

// The root becomes a child of the caller. Nothing is left when this fails.
Result<Restored> restore(const RestoreOptions& options, const image::Reader& reader);
// The tree begins with the process that waits for it. The caller is one that is given up for this.
// When it fails nothing of the tree is left, and the bearer is to be killed by whoever made it.
Result<Restored> restore(const RestoreOptions& options, const image::Reader& reader,
                         const Cradle& cradle, const Bearer& bearer);

}  // namespace umbel::checkpoint
