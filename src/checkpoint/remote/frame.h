// The signal frame from which rt_sigreturn gives a thread its own state back.
#pragma once

#include <cstdint>
#include <vector>

#include "checkpoint/remote/pointer.h"
#include "checkpoint/remote/session.h"

namespace umbel::checkpoint::remote {

struct Frame {
  std::uint64_t address = 0;  // of the first byte
  std::uint64_t stack = 0;    // the stack pointer with which to call rt_sigreturn
  std::vector<std::uint8_t> bytes;
};

// Ends at or below `end`. A system call that was interrupted is restarted by it.
Frame make_frame(const Cpu& cpu, Pointer end);

}  // namespace umbel::checkpoint::remote
