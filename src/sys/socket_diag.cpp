// A request of type SOCK_DIAG_BY_FAMILY with NLM_F_DUMP is answered by messages of one socket each,
// until NLMSG_DONE (sock_diag(7), linux/unix_diag.h, linux/inet_diag.h). A message of UNIX_DIAG has
// attributes after its head; the peer is an inode number.
#include "sys/socket_diag.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <functional>

#include "sys/call.h"

namespace umbel::sys {

namespace {

constexpr std::uint8_t listening_state = 10, established_state = 1;  // TCP_LISTEN, TCP_ESTABLISHED
constexpr std::size_t answer_size = 32768;

template <class T>
T copied(const void* from) {
  T made;
  std::memcpy(&made, from, sizeof made);
  return made;
}

template <class Request>
Result<void> ask(FdRef socket, const Request& request) {
  struct {
    nlmsghdr head;
    Request body;
  } message{{.nlmsg_len = NLMSG_LENGTH(sizeof(Request)),
             .nlmsg_type = SOCK_DIAG_BY_FAMILY,
             .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
            request};
  return checked(::send(socket.number(), &message, sizeof message, 0), "send to sock_diag");
}

// Calls `take` with the payload of each answer.
Result<void> hear(FdRef socket, const std::function<void(const char*, std::size_t)>& take) {
  std::vector<char> buffer(answer_size);
  for (;;) {
    const long size =
        retried([&] { return ::recv(socket.number(), buffer.data(), buffer.size(), 0); });
    TRY(checked(size, "recv from sock_diag"));
    const auto left = static_cast<std::size_t>(size);
    for (std::size_t at = 0; at + sizeof(nlmsghdr) <= left;) {
      const auto head = copied<nlmsghdr>(buffer.data() + at);
      if (head.nlmsg_len < sizeof(nlmsghdr) || at + head.nlmsg_len > left) break;
      if (head.nlmsg_type == NLMSG_DONE) return {};
      const char* payload = buffer.data() + at + NLMSG_HDRLEN;
      if (head.nlmsg_type == NLMSG_ERROR) {
        errno = -copied<nlmsgerr>(payload).error;
        if (errno == ENOENT) return {};  // the kernel has no such family
        return checked(-1, "sock_diag");
      }
      take(payload, head.nlmsg_len - NLMSG_HDRLEN);
      at += NLMSG_ALIGN(head.nlmsg_len);
    }
  }
}

std::string printable_name(const char* data, std::size_t size) {
  std::string name(data, size);
  if (!name.empty() && name[0] == 0) return "@" + name.substr(1);
  return name.substr(0, name.find('\0'));
}

UnixSocket unix_socket(const char* payload, std::size_t size) {
  const auto head = copied<unix_diag_msg>(payload);
  UnixSocket made{.inode = head.udiag_ino, .listening = head.udiag_state == listening_state};
  for (std::size_t at = NLMSG_ALIGN(sizeof head); at + sizeof(rtattr) <= size;) {
    const auto attribute = copied<rtattr>(payload + at);
    if (attribute.rta_len < sizeof(rtattr) || at + attribute.rta_len > size) break;
    const char* data = payload + at + RTA_LENGTH(0);
    const std::size_t length = attribute.rta_len - RTA_LENGTH(0);
    if (attribute.rta_type == UNIX_DIAG_PEER && length >= sizeof(std::uint32_t))
      made.peer = copied<std::uint32_t>(data);
    if (attribute.rta_type == UNIX_DIAG_NAME) made.name = printable_name(data, length);
    at += RTA_ALIGN(attribute.rta_len);
  }
  return made;
}

std::string address(int family, const void* bytes, std::uint16_t port) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  (void)::inet_ntop(family, bytes, text.data(), text.size());
  std::string host(text.data());
  // A v4 peer of a v6 socket is written as its other end writes it.
  constexpr std::string_view mapped = "::ffff:";
  if (host.starts_with(mapped) && host.contains('.')) host.erase(0, mapped.size());
  return host + ":" + std::to_string(ntohs(port));
}

}  // namespace

Result<Fd> diagnosis_socket() {
  return Fd(TRY(checked_int(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG),
                            "socket NETLINK_SOCK_DIAG")));
}

Result<std::vector<UnixSocket>> unix_sockets(FdRef diagnosis) {
  std::vector<UnixSocket> found;
  const unix_diag_req request{.sdiag_family = AF_UNIX,
                              .udiag_states = ~0U,
                              .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER};
  TRY(ask(diagnosis, request));
  TRY(hear(diagnosis, [&](const char* payload, std::size_t size) {
    if (size >= sizeof(unix_diag_msg)) found.push_back(unix_socket(payload, size));
  }));
  return found;
}

Result<std::vector<InternetSocket>> tcp_connections(FdRef diagnosis) {
  std::vector<InternetSocket> found;
  for (const int family : {AF_INET, AF_INET6}) {
    const inet_diag_req_v2 request{.sdiag_family = static_cast<std::uint8_t>(family),
                                   .sdiag_protocol = IPPROTO_TCP,
                                   .idiag_states = 1U << established_state};
    TRY(ask(diagnosis, request));
    TRY(hear(diagnosis, [&](const char* payload, std::size_t size) {
      if (size < sizeof(inet_diag_msg)) return;
      const auto message = copied<inet_diag_msg>(payload);
      const inet_diag_sockid& id = message.id;
      found.push_back({.inode = message.idiag_inode,
                       .local = address(message.idiag_family, id.idiag_src, id.idiag_sport),
                       .remote = address(message.idiag_family, id.idiag_dst, id.idiag_dport)});
    }));
  }
  return found;
}

}  // namespace umbel::sys
