// Waiting for files to change, by inotify(7).
#pragma once

#include <cstdint>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

// A descriptor that becomes readable when something of IN_* `events` happens in the directory.
Result<Fd> watch_directory(FdRef dir, std::uint32_t events);
// Forgets what has happened so far.
void forget_events(FdRef watch);

}  // namespace umbel::sys
