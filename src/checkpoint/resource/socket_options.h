// Options that sockets of any family have.
#pragma once

#include "checkpoint/resource/context.h"
#include "sys/socket.h"

namespace umbel::checkpoint {

struct SocketOption {
  std::int32_t level = 0, name = 0;
  image::Bytes value;
};
void fields(auto& archive, SocketOption& o) {
  archive("level", o.level);
  archive("name", o.name);
  archive("value", o.value);
}

// Those of socket(7), and `more` of the protocol's own: name and size.
struct KnownOption {
  int level = 0, name = 0;
  std::size_t size = sizeof(int);
};
Result<std::vector<SocketOption>> read_options(FdRef socket, std::span<const KnownOption> more);
// Sets what differs. Sizes of buffers by themselves, since they have to hold what is in them.
Result<void> restore_options(FdRef socket, std::span<const SocketOption> options);
Result<void> restore_buffers(FdRef socket, std::span<const SocketOption> options);

// Buffers that the kernel has sized, and may go on sizing.
struct Buffers {
  std::int32_t sending = 0, receiving = 0;
  std::int32_t set_by_program = 0;  // bit 0: sending, bit 1: receiving
};
void fields(auto& archive, Buffers& b) {
  archive("sending", b.sending);
  archive("receiving", b.receiving);
  archive("set_by_program", b.set_by_program);
}
Result<Buffers> read_buffers(FdRef socket);
Result<void> restore_buffers(FdRef socket, const Buffers& buffers);

}  // namespace umbel::checkpoint
