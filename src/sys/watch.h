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

// An empty set of watches, and watches in it. Events are inotify(7)'s.
Result<Fd> watches();
Result<int> add_watch(FdRef watches, FdRef file, std::uint32_t events);
// The number that the next watch gets. Linux 4.16, with CONFIG_CHECKPOINT_RESTORE.
Result<void> set_next_watch(FdRef watches, int number);

}  // namespace umbel::sys
