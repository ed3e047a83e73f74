// For tests: what can only be done once, or not undone, is done in a child.
#pragma once

#include <unistd.h>

#include "sys/process.h"

namespace umbel::security {

// How a child that runs `body` and exits with what it returns ends; -1 if there was none.
template <class Body>
int in_child(Body body) {
  Result<sys::Process> child = sys::start({}, body);
  if (!child) return -1;
  const Result<sys::Exit> ended = child->wait();
  return ended ? ended->code() : -1;
}

// errno of a call that failed, 0 where it did not.
inline int error_of(long answer) { return answer < 0 ? errno : 0; }

}  // namespace umbel::security
