// Locks on files: flock(2), and those of fcntl(2) on parts of a file, which belong to a process
// (POSIX) or to the open file (OFD).
#pragma once

#include <cstdint>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

enum class LockAccess { shared, exclusive };
// Neither waits: EAGAIN where somebody else has it.
Result<void> lock_whole(FdRef file, LockAccess access);
// `length` 0: to the end, wherever that will be. Belongs to the open file.
Result<void> lock_part(FdRef file, LockAccess access, std::int64_t start, std::int64_t length);

}  // namespace umbel::sys
