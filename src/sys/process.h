// Processes by pidfd: start, signal, wait.
#pragma once

#include <sched.h>
#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"

namespace umbel::sys {

// How a process ended.
struct Exit {
  int status = 0;  // exit(3) status, where signal is 0
  int signal = 0;  // the signal that killed it
  // As a shell reports it: the status, or 128 + signal.
  int code() const { return signal != 0 ? 128 + signal : status; }
};

// Owns a child and its reaping: the destructor kills and waits unless detach() was called.
class Process {
 public:
  Process() = default;
  Process(HostPid pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  Process(Process&&) = default;
  Process& operator=(Process&& other) noexcept;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() { end(); }

  HostPid pid() const { return pid_; }
  FdRef pidfd() const { return pidfd_; }
  explicit operator bool() const { return static_cast<bool>(pidfd_); }

  Result<void> kill(int signal) const;
  // Blocks until it has ended; it is reaped then.
  Result<Exit> wait();
  // Gives up reaping; the caller lets it live.
  Fd detach();

 private:
  void end() noexcept;
  HostPid pid_;
  Fd pidfd_;
};

struct Clone {
  std::uint64_t flags = 0;                     // CLONE_NEW*, CLONE_PARENT
  std::optional<FdRef> cgroup = std::nullopt;  // CLONE_INTO_CGROUP: a cgroup2 directory
  std::span<const pid_t> set_tid = {};         // innermost pid namespace first
  int exit_signal = SIGCHLD;
};

// One process that continues in the caller's copy of memory. Returns an empty Process in the child.
// No atfork handlers run; the caller must be single-threaded or the child must not allocate.
Result<Process> clone3(const Clone& how);

// Starts a child that runs `body` and ends with what it returns; never returns in the child, so no
// destructor of the parent's frames runs there.
template <class Body>
Result<Process> start(const Clone& how, Body&& body) {
  Process child = TRY(clone3(how));
  if (child) return child;
  _exit(body());
}

Result<Fd> pidfd_open(HostPid pid);
// Of one thread, whose descriptors pidfd_getfd() then takes from. Linux 6.9.
Result<Fd> pidfd_open_thread(HostPid tid);
Result<void> pidfd_signal(FdRef pidfd, int signal);
// For a process that one traces or whose parent one is: its pid can't go away meanwhile.
Result<void> signal_process(HostPid pid, int signal);
// To one thread: tgkill(2). For threads that one traces, which can't go away meanwhile.
Result<void> signal_thread(HostPid pid, HostPid tid, int signal);
// Another process's descriptor, as a new one here. Linux 5.6.
Result<Fd> pidfd_getfd(FdRef pidfd, int number);
// True once the process has ended; waits at most that long. Works for any process, child or not.
Result<bool> wait_end(FdRef pidfd, std::chrono::milliseconds at_most);
// The pid of the process, as one's own pid namespace counts.
Result<HostPid> pid_behind(FdRef pidfd);
// How a process that was reaped, by whomever, has ended. Linux 6.15; ENOTTY before.
Result<Exit> exit_of(FdRef pidfd);
// Reaps a child by pidfd.
Result<Exit> reap(FdRef pidfd);

// Whether this process may execute the file, by its effective ids.
Result<void> check_executable(const std::string& path);
// Returns only if it fails. With an Fd, the file behind it (execveat with AT_EMPTY_PATH).
Error execute(const std::string& path, std::span<const std::string> args,
              std::span<const std::string> env);
Error execute(FdRef file, std::span<const std::string> args, std::span<const std::string> env);

// Blocks the given signals and returns a signalfd for them.
Result<Fd> signal_descriptor(const sigset_t& signals);
// The next signal from such a descriptor; waits for it.
Result<int> next_signal(FdRef signals);
Result<sigset_t> block_signals(const sigset_t& signals);
Result<void> set_signal_mask(const sigset_t& mask);
// All signals back to their defaults, none blocked: what a program expects to be started with.
void reset_signals();

}  // namespace umbel::sys
