// What can be done with a container, each a short narrative over store, launch and cgroup.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "container/launch.h"
#include "container/store.h"
#include "sys/process.h"

namespace umbel::container {

// Foreground, with the caller's descriptors: starts the created container, hands signals on, waits,
// cleans up. The exit code of the command.
struct Foreground {
  Stdio stdio;
  std::function<void(const std::string&)> note = [](const std::string&) {};
};
Result<int> run_foreground(Container& container, const Foreground& how);

// Detached: a monitor process starts it and stays. Returns when the command executes, or with what
// stopped it. The container's lock must be held.
// `revival`: with the processes of a checkpoint instead of its command.
Result<void> start_detached(Container& container, const Revival* revival = nullptr);
// The pipes between a detached container and its monitor, as /proc names them ("pipe:[12]"); empty
// where there is none.
struct Pipes {
  std::string in, out, err;
};
Result<Pipes> pipes(const Container& container);
// The same with the caller attached from the first byte of output on: the socket for
// console::attach.
Result<Fd> start_attached(Container& container);
// The monitor's second life, under its own small program: `umbel-monitor HOME NAME FDS...`.
int monitor_main(const std::vector<std::string>& args);

// Lets a container that waits (Start::wait) become its command. Returns when it executes, or with
// what stopped it. Notes are what went wrong since.
Result<std::vector<std::string>> release(Container& container);

Result<void> kill(Container& container, int signal);
// The container's stop signal, then SIGKILL after `patience`; returns when it has ended.
Result<void> stop(Container& container, std::chrono::milliseconds patience);
Result<void> pause(Container& container);
Result<void> resume(Container& container);
// New limits, also into the config.
Result<void> update(Container& container, const cgroup::Limits& changes);
// Waits for the end; the exit code. Every caller gets it, also afterwards.
Result<int> wait(Container& container);
// Everything of it: cgroup, links, files. A running one only with Force::yes, which kills it first.
enum class Force { no, yes };
// What its last hooks complained of is noted in the container's state, which is gone otherwise.
Result<void> remove(Container& container, Force force);

struct Exec {
  std::vector<std::string> args, env;         // env is added to the container's
  std::optional<std::string> cwd, user_name;  // else as the container's command has them
  bool terminal = false, interactive = false, privileged = false;
  std::optional<WindowSize> console_size;
  Stdio stdio;
};
// While it lives, the caller's signals are kept for wait(), which hands them on to the process
// until that ends. Made before the process is started, so that none is lost.
class SignalRelay {
 public:
  static Result<SignalRelay> open();
  Result<sys::Exit> wait(sys::Process& process) const;

 private:
  explicit SignalRelay(Fd signals) : signals_(std::move(signals)) {}
  Fd signals_;
};

// Runs a further program in exactly the container's namespaces, cgroup, capabilities and filter.
// With a terminal, Started.terminal is its master.
struct Started {
  sys::Process process;
  Fd terminal;
};
Result<Started> exec(Container& container, const Exec& what);
// The same for a process that is described in full.
struct Entering {
  Stdio stdio;
  unsigned preserved = 0;  // descriptors after the first three that it gets
  // Existing ones below the container's own: a controller's, or ("") of all that are not named.
  std::map<std::string, std::string> cgroups;
  bool even_paused = false;  // it starts when the container is resumed
};
Result<Started> exec(Container& container, const Process& process, const Entering& how);

// Each kind as this container has it, for show, ps --json and graph.
struct NamespaceView {
  ns::Kind kind;
  std::uint64_t inode = 0;  // 0: not running
  ns::Source source;
  std::optional<ns::Source> next;        // where its next processes are, if not there
  bool host = false;                     // it is the one that umbel itself runs in
  std::vector<std::string> shared_with;  // other containers in the same one
};
Result<std::vector<NamespaceView>> namespaces(const Home& home, const Container& container);

// "TERM", "SIGTERM", "15".
Result<int> parse_signal(std::string_view text);
std::string signal_name(int signal);

}  // namespace umbel::container
