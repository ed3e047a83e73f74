// Serves a detached container's streams until it ends.
#pragma once

#include "base/error.h"
#include "base/fd.h"
#include "console/log.h"
#include "sys/process.h"

namespace umbel::console {

// What a message between monitor and client begins with.
enum class Tag : char {
  input = 'i',   // to the container
  end = 'e',     // the client's input has ended
  window = 'w',  // "ROWS COLUMNS"
  out = 'o',     // from the container
  err = 'E',
  exit = 'x',  // "STATUS SIGNAL"
};

struct Streams {
  Fd terminal;      // the master; or, without a terminal,
  Fd in, out, err;  // the monitor's ends of the pipes; in may be absent
};

// Output goes to the log and to every client of `listener`, and to `first`, if there is one, from
// the first byte on; input comes from the clients. As on a
// real terminal, the program waits while a client does not read. Ends when the process behind
// `init`, which must be this one's child, has ended and its output is drained; it is reaped, and
// clients are told.
Result<sys::Exit> serve(Streams streams, FdRef listener, LogWriter& log, FdRef init,
                        Fd first = Fd());

}  // namespace umbel::console
