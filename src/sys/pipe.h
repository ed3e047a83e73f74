// What is in a pipe, read without taking it out: tee(2).
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

struct Packets {
  bool is_packets = false;
  // Of a pipe of packets each one; of a stream everything in one.
  std::vector<std::vector<std::uint8_t>> packets;
};
// `capacity` bytes may be in it. The reading end must be O_NONBLOCK.
Result<Packets> peek_pipe(FdRef reading, int capacity);

}  // namespace umbel::sys
