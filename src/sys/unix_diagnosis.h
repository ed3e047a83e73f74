// What the kernel tells about a unix socket beyond getsockopt(2): sock_diag(7).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

struct UnixFacts {
  bool listens = false, connected = false;
  std::optional<std::uint64_t> peer;  // its inode; 0: it was closed, or nobody has accepted it yet
  std::optional<std::uint64_t> file;  // inode of the file that it is bound to
  std::vector<std::uint64_t>
      pending;  // inodes of clients that wait to be accepted, first come first
  std::uint32_t received = 0, sent = 0;  // bytes; of one that listens: how many wait, its backlog
  int shut = 0;                          // bit 0: receives no more, bit 1: sends no more
};
// Of the socket of that inode, in this thread's network namespace. ENOENT: there is none.
Result<UnixFacts> unix_facts(std::uint64_t inode);

}  // namespace umbel::sys
