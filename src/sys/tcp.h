// The state of TCP connections, taken and put back by TCP_REPAIR (Linux 3.5). Needs CAP_NET_ADMIN
// over the socket's network namespace.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

// While it lasts, nothing is sent or told to the peer, not even when the socket is closed. The end
// is as silent as the beginning, or tells the peer where things stand.
Result<void> start_repair(FdRef socket);
Result<void> end_repair_silently(FdRef socket);
Result<void> end_repair(FdRef socket);

struct TcpState {
  std::uint32_t state = 0;                 // TCP_ESTABLISHED ...
  std::uint32_t waiting = 0, backlog = 0;  // of one that listens
};
Result<TcpState> tcp_state(FdRef socket);

struct TcpQueue {
  std::uint32_t sequence = 0;  // of its first byte
  std::vector<std::uint8_t> data;
};
struct TcpConnection {
  TcpQueue sending, receiving;
  std::uint32_t unsent = 0;   // bytes at the end of `sending` that never left
  std::uint32_t segment = 0;  // the largest that the peer takes
  bool scales = false;
  std::uint32_t send_scale = 0, receive_scale = 0;
  bool selective = false, stamps = false;
  std::uint32_t stamp = 0;
  std::array<std::uint32_t, 5> window{};  // struct tcp_repair_window
};
// In repair.
Result<TcpConnection> read_connection(FdRef socket);
// Sequence numbers before it is connected (in repair: to nobody's knowledge), the rest after.
Result<void> set_sequences(FdRef socket, const TcpConnection& connection);
Result<void> set_connection(FdRef socket, const TcpConnection& connection);
// After the repair.
Result<void> send_unsent(FdRef socket, const TcpConnection& connection);

}  // namespace umbel::sys
