// /proc/PID/stat (proc_pid_stat(5)).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace umbel::proc {

struct Stat {
  std::int32_t pid = 0;
  std::string name;
  char state = '?';
  std::int32_t parent = 0, group = 0, session = 0, terminal = 0, foreground = 0;
  std::uint64_t flags = 0;
  std::int32_t threads = 0;
  std::uint64_t start_time = 0;  // clock ticks since boot
  std::uint64_t start_code = 0, end_code = 0, start_stack = 0;
  std::int32_t exit_signal = 0;
  std::uint64_t start_data = 0, end_data = 0, start_brk = 0;
  std::uint64_t arg_start = 0, arg_end = 0, env_start = 0, env_end = 0;
  std::int32_t exit_code = 0;  // as wait(2) gives it
};

Result<Stat> parse_stat(std::string_view text);

}  // namespace umbel::proc
