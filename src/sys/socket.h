// Sockets as whoever copies them needs them: addresses and options as bytes, queues read without
// being emptied, messages with whatever goes along. Source: socket(7), unix(7), recv(2).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

using Address = std::vector<std::uint8_t>;  // struct sockaddr and what follows
using Octets = std::span<const std::uint8_t>;

Result<Fd> make_socket(int family, int type, int protocol = 0);
struct SocketPair {
  Fd one, other;
};
Result<SocketPair> unix_pair(int type);
Result<void> bind(FdRef socket, const Address& address);
Result<void> connect(FdRef socket, const Address& address);
// Runs it with another working directory, where a relative address of unix(7) starts.
Result<void> in_directory(const std::string& path, const std::function<Result<void>()>& work);
// Ends a connection of a datagram socket.
Result<void> disconnect(FdRef socket);
Result<void> listen(FdRef socket, int backlog);
Result<Fd> accept_connection(FdRef listener);
Result<void> shut_down(FdRef socket, int how);
Result<Address> local_address(FdRef socket);
// ENOTCONN where there is none.
Result<Address> peer_address(FdRef socket);

// At most `room` bytes of it. ENOPROTOOPT where this socket has no such option.
Result<std::vector<std::uint8_t>> option(FdRef socket, int level, int name, std::size_t room);
Result<void> set_option(FdRef socket, int level, int name, Octets value);
Result<int> number_option(FdRef socket, int level, int name);
Result<void> set_number_option(FdRef socket, int level, int name, int value);
// As much as the caller may, at most `bytes`.
void widen_buffers(FdRef socket, int bytes);

struct Ids {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  friend bool operator==(const Ids&, const Ids&) = default;
};
// SO_PEERCRED.
Result<Ids> peer_ids(FdRef socket);
// Runs it with these effective ids, on this thread: so that the peer sees them in SO_PEERCRED.
Result<void> as_ids(uid_t uid, gid_t gid, const std::function<Result<void>()>& work);

struct Packet {
  std::vector<std::uint8_t> data;
  std::vector<Fd> files;   // SCM_RIGHTS
  Address sender;          // empty: unnamed
  std::optional<Ids> ids;  // SCM_CREDENTIALS, where the socket asks for it
};
// Everything that can be received, in order, left where it is. Of a stream the borders are of no
// meaning. `ends`: an empty answer means the end, and not an empty packet.
enum class Empty { is_end, is_packet };
Result<std::vector<Packet>> peek_queue(FdRef socket, Empty empty);
struct Sending {
  Octets data;
  std::span<const FdRef> files = {};
  std::optional<Ids> ids = std::nullopt;
  const Address* to = nullptr;
};
// All of it, or an error: EAGAIN where there is no room.
Result<void> send_packet(FdRef socket, const Sending& what);

// Of the namespace that a socket belongs to.
Result<Fd> network_namespace_of(FdRef socket);
// Runs it on a thread of its own that is in the namespace.
Result<void> in_network_namespace(FdRef ns, const std::function<Result<void>()>& work);

}  // namespace umbel::sys
