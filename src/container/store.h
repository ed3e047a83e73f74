// Containers on disk: a directory a container under umbel's home, with its config, its state, its
// log and its attach socket. There is no daemon: whoever changes a container holds its lock; what
// is written is replaced whole; what cannot be trusted after a crash (is it running?) is asked of
// the kernel each time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "cgroup/cgroup.h"
#include "container/config.h"

namespace umbel::container {

// A process that can be found again: a pid alone may have been given to another since.
struct ProcessId {
  HostPid pid;
  std::uint64_t start_time = 0;  // field 22 of /proc/PID/stat: ticks since boot
};
void fields(auto& archive, ProcessId& p) {
  archive("pid", p.pid);
  archive("startTime", p.start_time);
}

struct State {
  ProcessId init;     // the container's first process; pid 0: none was started
  ProcessId monitor;  // who waits for it: the monitor, or `umbel run` itself
  cgroup::Paths cgroup;
  std::int64_t created = 0, started = 0, finished = 0;  // nanoseconds since 1970; 0: not yet
  std::optional<int> exit_code;                         // of the last run, as a shell has it
  bool out_of_memory = false;
  std::string checkpoint;  // where the image is that took its place; empty: none did
  bool waiting = false;    // at its gate
  bool logged = false;     // its output goes to the log (detached), not to the caller's descriptors
  // By the option of a kind: where processes that start later are, if not with the first one.
  std::map<std::string, ns::Source> moved;
  // What the first process got as descriptors 0 to 2 from whoever made it, as resource/external.h
  // of the checkpoint names them; none: from its monitor.
  std::vector<std::string> descriptors;
  std::vector<std::string> notes;
  std::vector<std::string> breaches;  // of its promise, each with somebody's --force
};
void fields(auto& archive, State& s) {
  archive("init", s.init);
  archive("monitor", s.monitor);
  archive("cgroup", s.cgroup);
  archive("created", s.created);
  archive("started", s.started);
  archive("finished", s.finished);
  archive("exitCode", s.exit_code);
  archive("outOfMemory", s.out_of_memory);
  archive("checkpoint", s.checkpoint);
  archive("waiting", s.waiting);
  archive("logged", s.logged);
  archive("moved", s.moved);
  archive("descriptors", s.descriptors);
  archive("notes", s.notes);
  archive("breaches", s.breaches);
}

// created: never started. exited: ended, exit_code says how. lost: ended while nobody was there to
// see how. incomplete: umbel died while it made it; only rm helps.
// waiting: everything is set up, and the first process waits to become the command.
// checkpointed: its processes are in an image and no longer here.
enum class Status { created, waiting, running, paused, exited, lost, incomplete, checkpointed };
std::string_view status_text(Status status);

class Home;

class Container {
 public:
  const std::string& name() const { return config.name; }
  Config config;
  State state;

  // Asked of the kernel now.
  Status status() const;
  bool is_running() const;  // running, paused or waiting: it has a first process
  // A pidfd of the running first process; the error says what it does instead, and the cure.
  Result<Fd> init() const;
  cgroup::Cgroup group() const { return cgroup::Cgroup::open(state.cgroup); }

  Result<void> save_config() const;
  Result<void> save_state() const;
  // Exclusive against every other umbel until unlock or the object's end. Reloads config and state.
  Result<void> lock();
  void unlock() { lock_.close(); }
  FdRef directory() const { return dir_; }
  std::string path(std::string_view file) const;  // absolute: "log", "attach"
  Result<Home> home() const;
  // The directory and all in it; the container must have ended.
  Result<void> erase();

 private:
  friend class Home;
  Fd dir_, lock_;
  std::string home_, directory_name_;
};

class Home {
 public:
  // $UMBEL_HOME, else /run/umbel for root, else $XDG_RUNTIME_DIR/umbel.
  static Result<Home> open();
  // Any other directory, which is made if missing and must be the caller's own.
  static Result<Home> open(const std::string& path);
  const std::string& path() const { return path_; }

  // Claims the name (or invents one where it is empty) and writes config and state; locked.
  Result<Container> create(Config config) const;
  // By name, or by an unambiguous beginning of it; a near miss is suggested.
  Result<Container> find(const std::string& name) const;
  // By its whole name; ENOENT.
  Result<Container> exactly(const std::string& name) const;
  // All, by name; also incomplete ones.
  Result<std::vector<Container>> all() const;
  Result<void> rename(Container& container, const std::string& name) const;
  // A directory below home that only its owner can read: the cache of compiled filters.
  Result<std::string> cache() const;

 private:
  Result<std::string> cgroup_ending(const Config& config) const;
  Fd dir_;
  std::string path_;
};

// Letters, digits and _; after the first also . + -.
Result<void> check_name(const std::string& name);

}  // namespace umbel::container
