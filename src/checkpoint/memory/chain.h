// Dumps that build on one another: which pages were not written to since the one before.
//
// The kernel forgets as soon as the userfaultfd of a process is closed, so between two dumps a
// small process, the keeper, holds them. It ends with the program that is watched, or with the next
// dump, and then nothing is left in the program.
#pragma once

#include <optional>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "checkpoint/freeze/tree.h"
#include "checkpoint/image/records.h"
#include "checkpoint/image/store.h"
#include "proc/maps.h"
#include "sys/process.h"

namespace umbel::checkpoint {

class Chain {
 public:
  // Of a first dump.
  Chain() = default;
  // On the image of an earlier one. When its keeper is gone, everything counts as written.
  static Result<Chain> on(const image::Reader& parent);

  bool exists() const { return static_cast<bool>(keeper_); }
  // What is known of a process from before; null for one that is new.
  const image::Tracked* find(const Process& process) const;
  // A descriptor of its userfaultfd.
  Result<Fd> watcher(const image::Tracked& tracked) const;
  // Ends the keeper: nothing is watched any more.
  Result<void> end();

 private:
  Fd keeper_;  // pidfd
  image::Tracking tracking_;
};

// Whether a mapping is watched by somebody: its flag in smaps.
inline bool is_watched(const proc::Mapping& mapping) { return mapping.has("uw"); }

// Watches a frozen process from here on: `watcher` is its userfaultfd. What can't be watched counts
// as written next time.
Result<void> watch(const Process& process, const std::vector<proc::Mapping>& mappings,
                   FdRef watcher);
// A userfaultfd of a frozen process; it has no descriptor of it any more.
Result<Fd> make_watcher(const Process& process, const std::vector<proc::Mapping>& mappings);

// Processes that are watched when the dump has ended.
struct Watched {
  const Process* process;
  Fd watcher;
  std::vector<image::PageRun> pages;
};
// Ends with this, unless it is let go when the image that tells of it is complete.
class Keeper {
 public:
  Keeper() = default;
  static Result<Keeper> start(const std::vector<Watched>& watched);
  // Goes into the image as the record "tracking".
  const image::Tracking& tracking() const { return tracking_; }
  void let_go() { process_.detach(); }

 private:
  sys::Process process_;
  image::Tracking tracking_;
};

}  // namespace umbel::checkpoint
