// Serves a detached container's streams until it ends: between its pipes or terminal on one side
// and a log and any number of clients on the other.
#pragma once

#include <chrono>
#include <functional>

#include "base/error.h"
#include "base/fd.h"
#include "console/log.h"
#include "sys/process.h"

namespace umbel::console {

struct Streams {
  Fd terminal;      // the master; or, without a terminal,
  Fd in, out, err;  // the monitor's ends of the pipes; in may be absent
};

struct Serving {
  // A client that gets the output from the first byte on: the other end's console::attach.
  Fd first = Fd();
  // Called when init was reaped and all output is in the log, before clients are told: what they
  // do next finds the end recorded.
  std::function<void(const sys::Exit&)> ended = {};
  // The program waits for a client that does not read, as on a terminal that is stopped, but only
  // so long: then output goes on without that client, which is told how much it has missed once it
  // reads again. A container with a terminal waits without end for its only client.
  std::chrono::milliseconds patience{10'000};
  // The same after the end of init.
  std::chrono::milliseconds last_patience{2'000};
  // For what init has left running (in a shared pid namespace) and still writes.
  std::chrono::milliseconds grace{100};
};

// Ends when the process behind `init`, which must be this one's child, has ended and its output is
// drained; it is reaped, and clients are told. Input comes from the clients; the end of one's input
// is the end of the container's. Signals that would end the monitor are ignored from here on.
Result<sys::Exit> serve(Streams streams, FdRef listener, LogWriter& log, FdRef init,
                        Serving how = {});

}  // namespace umbel::console
