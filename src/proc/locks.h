// /proc/locks (proc_locks(5)): the locks on files that everybody holds or waits for.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace umbel::proc {

struct Lock {
  bool waiting = false;  // for the one before it
  bool exclusive = false;
  std::int32_t pid = 0;  // -1: of an open file, whoever has it; 0: outside of the reader's pids
  std::uint32_t major = 0, minor = 0;
  std::uint64_t inode = 0;
};

Result<std::vector<Lock>> parse_locks(std::string_view text);

}  // namespace umbel::proc
