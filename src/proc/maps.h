// /proc/PID/maps and /proc/PID/smaps (proc_pid_smaps(5)).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace umbel::proc {

struct Mapping {
  std::uint64_t start = 0, end = 0;
  bool read = false, write = false, execute = false, shared = false;
  std::uint64_t offset = 0;
  std::uint32_t major = 0, minor = 0;
  std::uint64_t inode = 0;
  std::string path;  // as the kernel prints it: "/usr/bin/x", "[heap]", "/memfd:a (deleted)", ""
  // From smaps only.
  std::vector<std::string> flags;  // VmFlags: "rd", "mr", "gd" ...
  std::uint64_t page_size = 0;     // KernelPageSize, bytes
  int protection_key = 0;

  std::uint64_t size() const { return end - start; }
  bool has(std::string_view flag) const;
};

// Either file: lines other than those that start a mapping are read where they matter.
Result<std::vector<Mapping>> parse_mappings(std::string_view text);

}  // namespace umbel::proc
