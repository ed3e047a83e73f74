// TCP and UDP in a network namespace of its own: a server, connections to it with what is in their
// queues, also more than fits, over both families; sockets that are only bound; options. Whoever
// connects to port 4711 from elsewhere gets back what it says.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <vector>

#include "../program.h"

namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
};
Address at(int family, int port) {
  Address made;
  if (family == AF_INET) {
    auto* four = reinterpret_cast<sockaddr_in*>(&made.storage);
    four->sin_family = AF_INET;
    four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    four->sin_port = htons(static_cast<uint16_t>(port));
    made.length = sizeof *four;
  } else {
    auto* six = reinterpret_cast<sockaddr_in6*>(&made.storage);
    six->sin6_family = AF_INET6;
    six->sin6_addr = in6addr_loopback;
    six->sin6_port = htons(static_cast<uint16_t>(port));
    made.length = sizeof *six;
  }
  return made;
}
int bound(int family, int type, int port) {
  const int made = socket(family, type | SOCK_CLOEXEC, 0), on = 1;
  const Address where = at(family, port);
  setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  must(bind(made, reinterpret_cast<const sockaddr*>(&where.storage), where.length) == 0, "bind");
  return made;
}
int connected(int family, int type, int port) {
  const int made = socket(family, type, 0);
  const Address where = at(family, port);
  must(connect(made, reinterpret_cast<const sockaddr*>(&where.storage), where.length) == 0,
       "connect");
  return made;
}
int port_of(int socket, decltype(getsockname) get) {
  sockaddr_storage found{};
  socklen_t length = sizeof found;
  if (get(socket, reinterpret_cast<sockaddr*>(&found), &length) != 0) return -1;
  return ntohs(reinterpret_cast<sockaddr_in*>(&found)->sin_port);
}
int option(int socket, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  getsockopt(socket, level, name, &value, &length);
  return value;
}

// Waits for it, at most as long as somebody would who looks on.
std::string hears(int socket, size_t size) {
  std::string text;
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  while (text.size() < size) {
    char buffer[65536];
    const ssize_t count = recv(socket, buffer, std::min(sizeof buffer, size - text.size()), 0);
    if (count <= 0) break;
    text.append(buffer, static_cast<size_t>(count));
  }
  const timeval none{};
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none);
  return text;
}
bool says(int socket, const std::string& text) {
  return send(socket, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}
void check_pair(int one, int other, const std::string& what) {
  check(says(one, "ping") && hears(other, 4) == "ping", what);
  check(says(other, "pong") && hears(one, 4) == "pong", what);
}

// Until nothing goes in any more; which byte is where can be told.
size_t stuff(int socket, size_t so_far) {
  for (;;) {
    std::string block;
    for (size_t i = 0; i < 4096; ++i) block += static_cast<char>((so_far + i) % 251);
    const ssize_t sent = send(socket, block.data(), block.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent <= 0) return so_far;
    so_far += static_cast<size_t>(sent);
    if (static_cast<size_t>(sent) < block.size()) return so_far;
  }
}

}  // namespace

int main(int, char** words) {
  Program program(words[1]);
  const int server = bound(AF_INET, SOCK_STREAM, 4711),
            server6 = bound(AF_INET6, SOCK_STREAM, 4711);
  must(listen(server, 9) == 0 && listen(server6, 5) == 0, "listen");
  const int client = connected(AF_INET, SOCK_STREAM, 4711),
            client6 = connected(AF_INET6, SOCK_STREAM, 4711);
  const int accepted = accept(server, nullptr, nullptr),
            accepted6 = accept(server6, nullptr, nullptr);
  must(accepted >= 0 && accepted6 >= 0, "accept");
  const int full = connected(AF_INET, SOCK_STREAM, 4711),
            full_end = accept(server, nullptr, nullptr);
  const int on = 1, idle = 77;
  must(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
           setsockopt(accepted, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) == 0 &&
           setsockopt(accepted, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle) == 0,
       "setsockopt");
  must(says(client, "unread") && says(accepted6, "six"), "send");
  const int only_bound = bound(AF_INET, SOCK_STREAM, 4712),
            fresh = socket(AF_INET6, SOCK_STREAM, 0);
  const int datagrams = bound(AF_INET, SOCK_DGRAM, 4713),
            to_them = connected(AF_INET, SOCK_DGRAM, 4713);
  const int broadcast = socket(AF_INET, SOCK_DGRAM, 0);
  must(setsockopt(broadcast, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) == 0 && fresh >= 0,
       "setsockopt");
  const int client_port = port_of(client, getsockname), udp_port = port_of(to_them, getsockname);
  std::vector<int> guests;
  size_t sent = stuff(full, 0);

  return program.serve([&] {
    check(hears(accepted, 6) == "unread", "what was received and not read");
    check(hears(client6, 3) == "six", "what was received over IPv6");
    check_pair(client, accepted, "a connection");
    check_pair(client6, accepted6, "a connection over IPv6");
    check(says(client, "unread") && says(accepted6, "six"), "a connection");
    check_equal(port_of(client, getsockname), client_port, "a client's port");
    check_equal(port_of(accepted, getpeername), client_port, "a client's port at the server");
    check_equal(port_of(client, getpeername), 4711, "a server's port");
    check_equal(option(client, IPPROTO_TCP, TCP_NODELAY), 1, "TCP_NODELAY");
    check_equal(option(accepted, IPPROTO_TCP, TCP_NODELAY), 0, "TCP_NODELAY of the other end");
    check_equal(option(accepted, SOL_SOCKET, SO_KEEPALIVE), 1, "SO_KEEPALIVE");
    check_equal(option(accepted, IPPROTO_TCP, TCP_KEEPIDLE), 77, "TCP_KEEPIDLE");
    check_equal(option(server, SOL_SOCKET, SO_REUSEADDR), 1, "SO_REUSEADDR");
    check_equal(option(client, SOL_SOCKET, SO_REUSEADDR), 0, "SO_REUSEADDR of a client");

    const std::string all = hears(full_end, sent);
    bool right = all.size() == sent;
    for (size_t i = 0; right && i < all.size(); ++i) right = all[i] == static_cast<char>(i % 251);
    check(right,
          "more than fits (" + std::to_string(all.size()) + " of " + std::to_string(sent) + ")");
    sent = stuff(full, 0);

    fcntl(server, F_SETFL, O_NONBLOCK);
    for (int guest; (guest = accept(server, nullptr, nullptr)) >= 0;) guests.push_back(guest);
    fcntl(server, F_SETFL, 0);
    const int again = connected(AF_INET, SOCK_STREAM, 4711),
              new_one = accept(server, nullptr, nullptr);
    check_pair(again, new_one, "a new connection");
    // The client first, so that the server's port is free of it at once.
    close(again);
    close(new_one);
    check_equal(port_of(only_bound, getsockname), 4712, "a socket that is only bound");
    check_equal(port_of(fresh, getsockname), 0, "a socket that does nothing yet");
    check(says(to_them, "datagram") && hears(datagrams, 8) == "datagram", "UDP");
    check_equal(port_of(to_them, getsockname), udp_port, "a UDP client's port");
    check_equal(port_of(to_them, getpeername), 4713, "a UDP server's port");
    check_equal(option(broadcast, SOL_SOCKET, SO_BROADCAST), 1, "SO_BROADCAST");

    for (const int guest : guests) {
      char buffer[512];
      const ssize_t count = recv(guest, buffer, sizeof buffer, MSG_DONTWAIT);
      if (count > 0) check(says(guest, std::string(buffer, static_cast<size_t>(count))), "a guest");
    }
  });
}
