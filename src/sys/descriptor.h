// What a descriptor is besides its file: flags, offset, owner and signal (fcntl(2)), and whether
// two are the same open file (kcmp(2)).
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"

namespace umbel::sys {

// The lowest free number not below `least`, O_CLOEXEC.
Result<Fd> duplicate_from(FdRef fd, int least);
Result<int> status_flags(FdRef fd);
Result<void> set_status_flags(FdRef fd, int flags);
Result<std::int64_t> seek(FdRef fd, std::int64_t offset, int from);

// Who gets SIGIO: F_GETOWN_EX.
struct Owner {
  enum class Kind : std::int32_t { thread = 0, process = 1, group = 2 };
  Kind kind = Kind::process;
  std::int32_t id = 0;  // 0 is nobody
};
Result<Owner> owner(FdRef fd);
Result<void> set_owner(FdRef fd, const Owner& owner);
// 0 is SIGIO.
Result<int> owner_signal(FdRef fd);
Result<void> set_owner_signal(FdRef fd, int signal);
Result<int> pipe_capacity(FdRef fd);
Result<void> set_pipe_capacity(FdRef fd, int bytes);
// Bytes that could be read: FIONREAD.
Result<int> readable_bytes(FdRef fd);

// A total order over the resources of a kind (KCMP_* of linux/kcmp.h): 0 when they are the same.
// EPERM where one may not look.
Result<int> compare(HostPid a, HostPid b, int kind, std::uint64_t index_a = 0,
                    std::uint64_t index_b = 0);

Result<Fd> event_descriptor(std::uint64_t count, int flags);
// How many descriptors the caller may have.
Result<std::uint64_t> raise_descriptor_limit();

}  // namespace umbel::sys
