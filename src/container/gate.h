// Where a created container's first process waits, with everything set up, until it may become the
// command.
#pragma once

#include <functional>

#include "base/error.h"
#include "base/fd.h"
#include "container/talk.h"

namespace umbel::container {

// A listening socket in the container's directory, which only umbel's own user can enter.
Result<Fd> make_gate(FdRef directory);

// In the first process: returns when somebody opens the gate, with the channel over which that one
// wants to hear how it goes on. Signals that would end a program end the process meanwhile.
Result<Fd> wait_at_gate(FdRef gate);

// Lets the waiting process go on. Returns when it executes the command, or with what stopped it.
// `listener` is called where its filter has one.
using OnListener = std::function<Result<void>(FdRef channel, const Heard& heard)>;
Result<void> open_gate(FdRef directory, const OnListener& listener);

}  // namespace umbel::container
