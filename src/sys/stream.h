// Streams and messages for one who serves several at once and must not wait for any of them.
#pragma once

#include <poll.h>
#include <sys/uio.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

// Until something has happened to one of them, as poll(2) has it; false when nothing did within
// that time, or a signal came.
constexpr std::chrono::milliseconds forever{-1};
Result<bool> wait_any(std::span<pollfd> watched, std::chrono::milliseconds at_most = forever);

// How far a call came that does not wait.
struct Moved {
  std::size_t bytes = 0;
  bool later = false;  // there was no room, or nothing to be had, just now
};
Result<Moved> write_some(FdRef fd, std::string_view data);
// One writev(2).
Result<std::size_t> write_parts(FdRef fd, std::span<const iovec> parts);
// No bytes and not `later`: the end.
Result<Moved> read_some(FdRef fd, std::span<char> into);
// Waits for room also where somebody else has made the descriptor non-blocking.
Result<void> write_patiently(FdRef fd, std::string_view data);
Result<void> set_size(FdRef file, std::uint64_t size);
Result<void> seek(FdRef file, std::uint64_t from_start);

// A message on a SOCK_SEQPACKET socket: false where there is no room for it now.
Result<bool> offer(FdRef socket, std::string_view message);
// A message; no bytes when the other end is gone. EMSGSIZE if it is longer.
Result<Moved> take(FdRef socket, std::span<char> into);
// The first byte of the next message, which stays where it is.
Result<std::optional<char>> peek(FdRef socket);

}  // namespace umbel::sys
