// The content is copied by tee(2), which leaves it where it is. It can be reached through either
// end: a second open gives a reading end of it. tee keeps the borders of packets (O_DIRECT).
#include "checkpoint/resource/pipe_content.h"

#include <fcntl.h>

#include "sys/descriptor.h"
#include "sys/file.h"
#include "sys/pipe.h"

namespace umbel::checkpoint {

Result<PipeContent> read_pipe(FdRef file) {
  PipeContent content;
  content.capacity = TRY(sys::pipe_capacity(file));
  const Fd reading = TRY(sys::reopen(file, O_RDONLY | O_NONBLOCK));
  const int waiting = TRY(sys::readable_bytes(reading));
  if (waiting == 0) return content;
  sys::Packets found = TRY(sys::peek_pipe(reading, content.capacity));
  content.is_packets = found.is_packets;
  content.packets = std::move(found.packets);
  return content;
}

Result<void> fill_pipe(const PipeContent& content, FdRef writing) {
  if (content.capacity != 0) TRY(sys::set_pipe_capacity(writing, content.capacity));
  for (const image::Bytes& packet : content.packets)
    TRY(during(
        "filling a pipe",
        sys::write_all(writing, {reinterpret_cast<const char*>(packet.data()), packet.size()})));
  return {};
}

}  // namespace umbel::checkpoint
