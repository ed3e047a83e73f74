// Waiting for a change of a file, and for time to pass.
#pragma once

#include <chrono>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

// Until one of the poll(2) events has happened; false when none did within that time.
Result<bool> wait_ready(FdRef fd, short events, std::chrono::milliseconds at_most);
// Until the kernel says that the file has changed since it was last read from this description
// (POLLPRI, as the events files of cgroups do it); false when it did not within that time.
Result<bool> wait_change(FdRef file, std::chrono::milliseconds at_most);
void sleep_for(std::chrono::microseconds time);

}  // namespace umbel::sys
