// tee(2) makes a second pipe refer to the same buffers. Borders of packets go with the buffers, so
// that reading the copy with a large enough buffer shows them: a packet ends a read, and a stream
// does not.
#include "sys/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include "sys/call.h"
#include "sys/descriptor.h"
#include "sys/file.h"

namespace umbel::sys {

Result<Packets> peek_pipe(FdRef reading, int capacity) {
  const Pipe copy = TRY(pipe(O_NONBLOCK));
  TRY(set_pipe_capacity(copy.write, capacity));
  const ssize_t copied = ::tee(reading.number(), copy.write.number(),
                               static_cast<std::size_t>(capacity), SPLICE_F_NONBLOCK);
  if (copied < 0) return Failure(last_error("tee"));
  Packets content;
  std::vector<std::uint8_t> buffer(static_cast<std::size_t>(capacity));
  std::size_t left = static_cast<std::size_t>(copied);
  while (left > 0) {
    const ssize_t got = ::read(copy.read.number(), buffer.data(), buffer.size());
    if (got < 0) return Failure(last_error("read", "a pipe"));
    if (got == 0) break;
    content.packets.emplace_back(buffer.begin(), buffer.begin() + got);
    left -= static_cast<std::size_t>(got);
  }
  content.is_packets = content.packets.size() > 1;
  return content;
}

}  // namespace umbel::sys
