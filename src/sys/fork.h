// A child of a process that may have threads: fork(3) of the C library, which brings its heap into
// order in the child; clone3 of process.h does not.
#pragma once

#include "base/error.h"
#include "sys/process.h"

namespace umbel::sys {

// An empty Process in the child.
Result<Process> fork();

template <class Body>
Result<Process> start_by_fork(Body&& body) {
  Process child = TRY(fork());
  if (child) return child;
  _exit(body());
}

}  // namespace umbel::sys
