// Namespaces by descriptor: ioctl_ns(2), setns(2), unshare(2).
#pragma once

#include <sched.h>

#include <cstdint>
#include <optional>

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"

// Not in glibc 2.36's <sched.h>.
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace umbel::sys {

Result<void> unshare(std::uint64_t flags);
// `fd` is a namespace (flags say which kind it must be, or 0) or a pidfd (flags: every kind to
// join).
Result<void> setns(FdRef fd, std::uint64_t flags);
// CLONE_NEW* of the namespace behind the descriptor; ENOTTY when it is none.
Result<std::uint64_t> namespace_kind(FdRef ns);
// The user namespace that owns it; EPERM when that lies outside one's own.
Result<Fd> namespace_owner(FdRef ns);
// Of pid and user namespaces.
Result<Fd> namespace_parent(FdRef ns);
// The process that is `pid` in a pid namespace; ESRCH where none is. ENOTTY before Linux 6.11.
Result<HostPid> pid_in_namespace(FdRef ns, std::int32_t pid);

}  // namespace umbel::sys
