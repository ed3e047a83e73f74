// /proc/PID/status and /proc/PID/stat (proc_pid_status(5), proc_pid_stat(5)): what a process is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace umbel::proc {

struct Status {
  std::string name;  // at most 15 bytes; blanks and such are octal escapes (\040) as in the file
  char state = '?';  // R running, S sleeping, D in the kernel, T stopped, t traced, Z zombie
  std::int32_t parent = 0;
  std::uint32_t uid = 0, gid = 0;  // real
  std::vector<std::int32_t> pids;  // from the reader's pid namespace to the innermost
  std::uint64_t resident_bytes = 0;
};
Result<Status> parse_status(std::string_view text);

struct Times {
  std::uint64_t user = 0, system = 0;  // clock ticks (sysconf _SC_CLK_TCK)
  std::uint64_t start = 0;             // clock ticks after boot
};
Result<Times> parse_times(std::string_view stat);

}  // namespace umbel::proc
