// Sockets as the kernel lists them (sock_diag(7)): what /proc/net/unix does not tell, the peer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

// Asks about the network namespace in which it was made, wherever it is used.
Result<Fd> diagnosis_socket();

struct UnixSocket {
  std::uint32_t inode = 0, peer = 0;  // peer 0: not connected
  bool listening = false;
  std::string name;  // a path, "@abstract", or empty
};
Result<std::vector<UnixSocket>> unix_sockets(FdRef diagnosis);

struct InternetSocket {
  std::uint32_t inode = 0;
  std::string local, remote;  // address:port; the same text for the same end
};
// Connected ones of TCP, both families.
Result<std::vector<InternetSocket>> tcp_connections(FdRef diagnosis);

}  // namespace umbel::sys
