// Letting the processes of a tree go one by one takes a moment in which umbel may be killed: then
// some of them would run and the others be gone. A guard lives through that moment beside it.
#pragma once

#include "base/error.h"
#include "base/fd.h"
#include "checkpoint/tasks/tasks.h"
#include "sys/process.h"

namespace umbel::checkpoint {

class Guard {
 public:
  // From here on the end of this process is the end of all of these.
  static Result<Guard> start(const Tasks& tasks);
  // Unless this is called before.
  Result<void> dismiss();

 private:
  Guard(sys::Process process, Fd line) : process_(std::move(process)), line_(std::move(line)) {}
  sys::Process process_;
  Fd line_;
};

}  // namespace umbel::checkpoint
