// A tree of processes, stopped: every thread of every process is seized and stands still until the
// tree is released, killed or destroyed.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "checkpoint/freeze/crew.h"
#include "checkpoint/remote/session.h"
#include "inspect/process.h"

namespace umbel::checkpoint {

struct Thread {
  remote::ThreadId id;
  bool seized = false;
  // Job control had stopped it: the signal that did. 0: it was running.
  int stopped_by = 0;
  std::vector<int> held_signals;  // to be sent again when it is released
};

struct Process {
  explicit Process(inspect::Process facts_) : facts(std::move(facts_)) {}
  inspect::Process facts;
  HostPid parent;
  InnerPid inner;
  proc::Stat stat;
  std::vector<Thread> threads;  // the leader first, if it lives; of a zombie none
  bool leader_ended = false;    // and others go on
  Fd memory;                    // /proc/PID/mem
  unsigned member = 0;          // of the crew, which traces it

  HostPid pid() const { return facts.pid(); }
  // The thread through which memory and descriptors are reached: the first that lives.
  HostPid alive() const { return threads.front().id.tid; }
  bool zombie() const { return threads.empty(); }
  std::string named() const { return inspect::named(pid(), stat.name); }
};

// For pidfd_getfd(2). Needs Linux 6.9 where the leader has ended.
Result<Fd> descriptors_of(const Process& process);

// What the tree is, looked at without stopping anything: parents before children.
Result<std::vector<HostPid>> tree_of(HostPid root);

class Tree {
 public:
  struct Options {
    HostPid root;
    std::chrono::milliseconds at_most = std::chrono::seconds(10);
  };
  // Returns when nothing of the tree runs any more, or fails with everything running again.
  static Result<Tree> freeze(const Options& options, Crew& crew);
  Tree(Tree&& other) noexcept;
  Tree& operator=(Tree&&) = delete;
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;
  // Lets everything go on as it was.
  ~Tree();

  // Parents before children; the root is the first.
  std::vector<std::unique_ptr<Process>>& processes() { return processes_; }
  Process& root() { return *processes_.front(); }
  Crew& crew() { return *crew_; }
  // Runs `work` for every process, each on the thread that traces it.
  Result<void> each(const std::function<Result<void>(Process&)>& work);

  Result<void> release();
  // The same, but for what is known of the processes: they can be looked at as they run.
  Result<void> let_run();
  // Leaves everything stopped as by SIGSTOP.
  Result<void> release_stopped();
  Result<void> kill();

 private:
  explicit Tree(Crew& crew) : crew_(&crew) {}
  Result<bool> add_new(const Options& options);
  Result<void> let_go(int signal);
  Crew* crew_;
  std::vector<std::unique_ptr<Process>> processes_;
};

}  // namespace umbel::checkpoint
