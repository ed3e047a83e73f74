// udp(7). Addresses and options; what it has received and nobody has read can't be put back, since
// it came from elsewhere.
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "checkpoint/resource/file_kind.h"
#include "checkpoint/resource/internet_options.h"
#include "inspect/descriptors.h"
#include "sys/descriptor.h"

namespace umbel::checkpoint {

namespace {

struct UdpSocket {
  std::int32_t family = 0;
  image::Bytes local, peer;  // addresses; the peer's is empty if it is not connected
  std::vector<SocketOption> options;
};
void fields(auto& archive, UdpSocket& s) {
  archive("family", s.family);
  archive("local", s.local);
  archive("peer", s.peer);
  archive("options", s.options);
}

constexpr auto all_options = [] {
  std::array<KnownOption, internet_options.size() + datagram_options.size()> all{};
  std::ranges::copy(internet_options, all.begin());
  std::ranges::copy(datagram_options, all.begin() + internet_options.size());
  return all;
}();

bool has_port(const sys::Address& address) {
  sockaddr_in four{};  // the port lies at the same place in both families
  std::memcpy(&four, address.data(), std::min(address.size(), sizeof four));
  return four.sin_port != 0;
}

Result<UdpSocket> dump(const FileDump& from) {
  TRY(inspect::unread(from.descriptor.kind, from.file));
  UdpSocket state;
  state.family = TRY(sys::number_option(from.file, SOL_SOCKET, SO_DOMAIN));
  state.local = TRY(sys::local_address(from.file));
  if (const auto peer = sys::peer_address(from.file)) state.peer = *peer;
  state.options = TRY(read_options(from.file, all_options));
  return state;
}

Result<Fd> restore(const FileRestore&, const UdpSocket& state) {
  Fd socket = TRY(sys::make_socket(state.family, SOCK_DGRAM));
  TRY(restore_options(socket, state.options));
  if (has_port(state.local))
    TRY(advise("end the program that has the port now",
               during("binding a UDP socket", sys::bind(socket, state.local))));
  if (!state.peer.empty()) TRY(during("connecting a UDP socket", sys::connect(socket, state.peer)));
  TRY(restore_buffers(socket, state.options));
  return socket;
}

}  // namespace

extern const FileKind udp_socket = file_kind<UdpSocket, dump, restore>(inspect::Kind::udp_socket);

}  // namespace umbel::checkpoint
