// What create, run and exec have in common once a process is there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"

namespace umbel::cli::oci {

// The terminal's master goes to whoever listens at that socket.
Result<void> send_console(const std::string& socket, FdRef master);
Result<void> send_pidfd(const std::string& socket, FdRef pidfd);
// The descriptors from 3 on that shall be passed on, before anything else is opened: later they
// could be umbel's own.
Result<unsigned> preserved(const std::optional<std::uint64_t>& count);
// What descriptors 0 to 2 are, as a checkpoint names them: pipe:[1], file[MOUNT:INODE].
Result<std::vector<std::string>> standard_descriptors();
// Whole or not at all; nothing where the path is empty.
Result<void> write_pid_file(const std::string& path, HostPid pid);

// What the flags say about a terminal must fit the process's wish for one.
struct Terminal {
  bool wanted = false, detached = false;
  std::string socket;
};
Result<void> check(const Terminal& terminal);

}  // namespace umbel::cli::oci
