// Learning which pages a process writes to: userfaultfd(2) with asynchronous write protection. The
// kernel lifts the protection itself at a write and remembers it; nobody waits (Linux 6.7).
#pragma once

#include <cstdint>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

// Flags for userfaultfd(2), which the process to be watched has to call itself.
constexpr int watcher_flags = 02000000 /* O_CLOEXEC */ | 04000 /* O_NONBLOCK */ |
                              1 /* UFFD_USER_MODE_ONLY: needs no privilege */;
// One of the caller's own.
Result<Fd> own_userfault();
// Once for every such descriptor. EINVAL where the kernel can't.
Result<void> make_watcher(FdRef userfault);
// Whole pages of the process that made the descriptor, called by whomever.
Result<void> watch_range(FdRef userfault, std::uint64_t start, std::uint64_t size);
// Protects anew what was written to in a watched range: from here on it counts as unwritten.
Result<void> protect_written(FdRef pagemap, std::uint64_t start, std::uint64_t end);

}  // namespace umbel::sys
