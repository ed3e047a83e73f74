// Saves a running tree of processes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "base/error.h"
#include "base/id.h"
#include "checkpoint/image/store.h"

namespace umbel::checkpoint {

// Moments at which the caller may act; an error ends the dump or restore.
enum class Stage { pre_dump, post_dump, pre_restore, post_restore, pre_resume, post_resume };

struct DumpOptions {
  HostPid root;
  // The root is a small init that whoever restores makes anew: it stands still with the rest and
  // ends with it, and its children are what is saved.
  bool root_is_reaper = false;
  enum class After { kill, run, stop } after = After::kill;
  std::chrono::milliseconds freeze_timeout = std::chrono::seconds(10);
  // Deleted files up to this size are carried in the image.
  std::uint64_t ghost_limit = std::uint64_t{1} << 20;
  bool shell_job = false;  // the session and terminal belong to somebody outside the tree
  // Terminals whose masters are outside of the tree are carried without them: whoever restores gets
  // new ones (RestoreOptions::new_master).
  bool orphan_terminals = false;
  bool file_locks = false;  // carry locks instead of refusing them
  // A file that has lost the name it was opened by, and has others, gets one more beside that.
  bool link_remap = false;
  // Connections are carried, their peers held off meanwhile; or come back as sockets without one.
  bool tcp_established = false, tcp_close = false;
  bool external_unix_sockets = false;  // their peer outside the tree is found again by its name
  // The image that this one is to build on.
  const image::Reader* parent = nullptr;
  // Watch what is written from here on, for the next dump.
  bool track = false;
  // Descriptors that whoever restores gives anew, by what they are linked to (pipe:[123]) or as
  // resource/external.h names them.
  std::set<std::string> external = {};
  std::function<Result<void>(Stage)> at = {};
  // Members of the caller's own, added under the freeze.
  std::function<Result<void>(image::Writer&)> more = {};
};

struct DumpStatistics {
  std::chrono::microseconds freezing{}, frozen{}, copying{}, writing{};
  std::uint64_t pages_scanned = 0, pages_written = 0, pages_in_parent = 0;
  std::uint64_t processes = 0, threads = 0;
  // There is an image to build on, and what was written since is not known: all was copied.
  bool chain_broken = false;
};

// Everything runs on as before when this fails.
Result<DumpStatistics> dump(const DumpOptions& options, image::Writer& writer);

// Copies the memory of what runs on, so that a dump that builds on it has less to copy and stands
// still for a shorter time. The image can't be restored by itself.
Result<DumpStatistics> pre_dump(const DumpOptions& options, image::Writer& writer);

}  // namespace umbel::checkpoint
