// libumbel: containers as their inventors meant them. The container is only an umbrella; for each
// subsystem you choose a new namespace, the host's, one that another container has, or one with a
// name and a life of its own:
//
//   umbel::Result<umbel::Container> c =
//       umbel::spawn({.pid = umbel::fresh, .ipc = umbel::with(a), .net = umbel::named("n")},
//                    {"redis-server"});
//
// Contract
// - C++23, statically linked: find_package(umbel), umbel::umbel. The interface is young and
// changes.
// - Linux 5.15 or later. Which choices the kernel allows whom: umbel(1), namespaces(7). An ordinary
//   user needs `.user = fresh` for everything else that is to be fresh.
// - Nothing throws but std::bad_alloc; nothing is printed. What fails returns an Error: what was
//   tried (detail), on which call, why (an errno), and the cure; see base/error.h. Then nothing is
//   left behind.
// - Any number of threads may call at once. What could not be done in a process with threads, or
//   would leave it in other namespaces, is done in a child made by fork(3); atfork handlers run in
//   it, and a SIGCHLD comes when it ends. waitpid(-1) of the caller's may take the end of such a
//   child away, and then wait() fails: wait for your own children by their pids.
// - Records are those of the command `umbel`, which lists and changes the same containers and
// names:
//   in $UMBEL_HOME, else /run/umbel for root, else $XDG_RUNTIME_DIR/umbel.
// Sizes are in bytes, times in nanoseconds, pids as the caller's pid namespace counts.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace umbel {

class Container;

enum class Kind : std::uint8_t { user, mnt, pid, net, ipc, uts, cgroup, time };

// Where a namespace comes from. Made by the five below; compared by value.
struct Source {
  enum class From : std::uint8_t { host, fresh, with, named, path };
  From from = From::host;
  std::string what = {};
  friend bool operator==(const Source&, const Source&) = default;
};
// The caller's own; a new one.
inline const Source host{};
inline const Source fresh{.from = Source::From::fresh};
// The one that a running container is in.
Source with(const Container& container);
Source with(std::string container);
// The one with that name: NAME or KIND/NAME (see Namespace). As .user also KIND/NAME of another
// kind: the user namespace that owns that one, which an ordinary user must join with it.
Source named(std::string name);
// The one behind a file: /proc/PID/ns/net, /run/netns/NAME.
Source at(std::string path);

// The eight choices; what is not chosen stays the host's.
struct Namespaces {
  Source pid = host;     // process ids
  Source user = host;    // user and group ids, capabilities
  Source ipc = host;     // System V IPC, POSIX message queues
  Source net = host;     // links, addresses, routes, ports
  Source uts = host;     // host and domain name
  Source mnt = host;     // mounted file systems
  Source cgroup = host;  // the root of the cgroup tree
  Source time = host;    // monotonic and boot clocks
};

// What the command may do beyond its namespaces.
enum class Rights : std::uint8_t {
  contained,  // Docker's default capabilities and system-call filter; it can gain no privileges
  caller,     // everything that the caller may do
};

struct Options {
  std::string name = {};  // of the container; empty: one is invented
  // "NAME=VALUE"; absent: the caller's. PATH and HOME are added where they are missing.
  std::optional<std::vector<std::string>> environment = {};
  std::string directory = {};  // absolute, inside; empty: the caller's where it is there, else "/"
  // With .mnt = fresh: the directory that becomes its root; empty: the host's root under a
  // copy-on-write overlay whose changes are thrown away at the end.
  std::string root = {};
  std::string hostname = {};  // with .uts = fresh
  std::uint64_t memory = 0;   // limits; 0: none
  double cpus = 0;
  std::uint64_t processes = 0;
  // Borrowed for the call. No other descriptor is passed on.
  FdRef in = standard_in, out = standard_out, err = standard_error;
  Rights rights = Rights::contained;
};

// A program that runs in a container. Owns its end: the destructor kills it and waits.
class Process {
 public:
  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  ~Process();
  // 0 when it has ended.
  pid_t pid() const;
  // The exit code as a shell has it: the status, or 128 + signal. Blocks; afterwards at once.
  Result<int> wait();
  Result<void> kill(int signal);

 private:
  friend class Container;
  struct Inner;
  explicit Process(std::unique_ptr<Inner> inner);
  std::unique_ptr<Inner> inner_;
};

// A handle of a container. One that spawn() gave owns it: the destructor kills what runs in it,
// waits, and removes every trace, unless detach() was called. One that find() gave owns nothing.
class Container {
 public:
  // Of any that `umbel ps --all` lists. ENOENT.
  static Result<Container> find(const std::string& name);

  Container(Container&&) noexcept;
  Container& operator=(Container&&) noexcept;
  ~Container();

  const std::string& name() const;
  // Of the first process; 0 when it has ended.
  pid_t pid() const;
  // Refers to the first process also when its pid belongs to another by now; becomes readable at
  // its end. Valid while this lives.
  FdRef pidfd() const;
  // The namespace itself, for whoever wants no umbrella between; the caller owns it. Not running:
  // ESRCH.
  Result<Fd> namespace_of(Kind kind) const;

  // The exit code of its command as a shell has it. Blocks; afterwards at once.
  Result<int> wait();
  // To its first process; SIGKILL to all of them.
  Result<void> kill(int signal);
  // A further program in its namespaces and cgroup, with its rights. `options`: environment (added
  // to the container's), directory, in, out, err.
  Result<Process> exec(const std::vector<std::string>& argv, const Options& options = {});
  // It outlives the handle, and the record its end: `umbel wait`, `umbel rm`.
  Result<void> detach();

 private:
  friend Result<Container> spawn(const Namespaces&, const std::vector<std::string>&,
                                 const Options&);
  struct Inner;
  explicit Container(std::unique_ptr<Inner> inner);
  std::unique_ptr<Inner> inner_;
};

// Starts a command in a new container. Returns when it executes, or with what stopped it: ENOENT
// and EACCES with call "execve ..." where the command is not there or can't be executed. `argv[0]`
// is looked up in PATH inside. The command is in a session of its own, and its parent is not the
// caller but a child of the caller's that waits for it.
Result<Container> spawn(const Namespaces& namespaces, const std::vector<std::string>& argv,
                        const Options& options = {});

// A namespace with a name and a life of its own, without processes: `umbel ns`. The handle owns
// nothing: the name stays until remove(), or until the host is rebooted.
class Namespace {
 public:
  // What it starts with; a setting that is not its kind's is refused.
  struct Settings {
    std::optional<std::string> hostname = {}, domainname = {};  // uts
    std::map<std::string, std::string> sysctls = {};            // ipc, net, uts
    std::optional<std::int64_t> time_offset = {};               // time: nanoseconds ahead
    std::string root = {};                                      // mnt: as in Options
    std::string owner = {};                                     // name of its user namespace
  };
  // EEXIST when a namespace of that kind has the name.
  static Result<Namespace> create(Kind kind, const std::string& name, const Settings& settings);
  static Result<Namespace> create(Kind kind, const std::string& name);
  // Gives a name to one that exists. Borrows the descriptor.
  static Result<Namespace> adopt(FdRef ns, const std::string& name);
  // By NAME where only one kind has it, else KIND/NAME. ENOENT.
  static Result<Namespace> find(const std::string& name);
  static Result<std::vector<Namespace>> all();

  Kind kind() const { return kind_; }
  const std::string& name() const { return name_; }
  // The caller owns it; the namespace lives while it is open, also without its name.
  Result<Fd> open() const;
  // Processes that are in it.
  Result<std::vector<pid_t>> users() const;
  // EBUSY while processes are in it.
  Result<void> remove();

 private:
  Namespace(Kind kind, std::string name) : kind_(kind), name_(std::move(name)) {}
  Kind kind_;
  std::string name_;
};

}  // namespace umbel
