// For a tree that does not descend from whoever restores it, like a container's: what the restore
// and the process that the tree begins with must have in common before that one is born.
#pragma once

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "checkpoint/image/records.h"
#include "checkpoint/image/store.h"
#include "checkpoint/tasks/workplace.h"
#include "sys/channel.h"

namespace umbel::checkpoint {

// Memory through which processes are made to call, and a line over which they get open files.
//   1. make() a cradle
//   2. fork a process (any chain of forks, into any namespaces) that keeps its descriptors, and
//      that ends up in a system call which can be begun again, such as a read
//   3. fork another, which enters the first one's namespaces (enter_namespaces) and calls
//      restore() with both
class Cradle {
 public:
  static Result<Cradle> make(const image::Reader& reader);
  const image::Tree& tree() const { return tree_; }
  const Workplace& workplace() const { return workplace_; }
  FdRef giver() const { return line_.ours; }
  FdRef taker() const { return line_.theirs; }

 private:
  Cradle(image::Tree tree, Workplace workplace, sys::Channel line)
      : tree_(std::move(tree)), workplace_(std::move(workplace)), line_(std::move(line)) {}
  image::Tree tree_;
  Workplace workplace_;
  sys::Channel line_;
};

// The process of step 2. A reaper bears the tree's processes and goes on as before; else it becomes
// the tree's first process itself, and is lost when the restore fails.
struct Bearer {
  HostPid pid;
  enum class Role { reaper, first } role = Role::reaper;
};

// Which of the two the image asks for.
Bearer::Role role_of_bearer(const image::Tree& tree);

// Enters the file systems, network, IPC and host name of a process, in a process that is given up
// for it; /proc stays what it was, and becomes the working directory. What belongs to the tree is
// then found at its paths and made in its namespaces. Before a dump as well as before a restore.
Result<void> enter_namespaces(HostPid process);

}  // namespace umbel::checkpoint
