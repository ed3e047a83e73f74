// A pair of connected sockets that keep message borders and carry descriptors: between umbel and
// the child that sets a container up, and between a monitor and whoever attaches.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

struct Channel {
  Fd ours, theirs;
};
Result<Channel> channel();

struct Message {
  std::string data;
  std::vector<Fd> fds;
  bool closed = false;  // the other end is gone: no message
};

// 1 byte to 64 KiB, and at most 8 descriptors. EPIPE is an error here, never a signal.
Result<void> send(FdRef socket, std::string_view data, std::span<const FdRef> fds = {});
// Waits for one message of at most 64 KiB.
Result<Message> receive(FdRef socket);

// A SOCK_SEQPACKET server at a path (its directory must be one's own), and a client of it.
Result<Fd> listen_at(const std::string& path);
Result<Fd> connect_to(const std::string& path);
Result<Fd> accept(FdRef listener);

// One message with one descriptor to the SOCK_STREAM server at a path, which is somebody else's.
Result<void> send_to(const std::string& path, std::string_view data, FdRef fd);

}  // namespace umbel::sys
