// NETLINK_SOCK_DIAG with SOCK_DIAG_BY_FAMILY and an inode gives one socket; attributes follow the
// answer, each aligned to 4 bytes (linux/unix_diag.h, linux/netlink.h).
#include "sys/unix_diagnosis.h"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <span>

#include "sys/call.h"
#include "sys/file.h"
#include "sys/socket.h"

namespace umbel::sys {

namespace {

struct Request {
  nlmsghdr header{};
  unix_diag_req asked{};
};

template <class T>
T read(std::span<const std::uint8_t> bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  return value;
}

void read_attribute(int type, std::span<const std::uint8_t> data, UnixFacts& facts) {
  switch (type) {
    case UNIX_DIAG_PEER:
      facts.peer = read<std::uint32_t>(data);
      break;
    case UNIX_DIAG_VFS:
      facts.file = read<unix_diag_vfs>(data).udiag_vfs_ino;
      break;
    case UNIX_DIAG_ICONS:
      for (; data.size() >= sizeof(std::uint32_t); data = data.subspan(sizeof(std::uint32_t)))
        facts.pending.push_back(read<std::uint32_t>(data));
      break;
    case UNIX_DIAG_RQLEN:
      facts.received = read<unix_diag_rqlen>(data).udiag_rqueue;
      facts.sent = read<unix_diag_rqlen>(data).udiag_wqueue;
      break;
    case UNIX_DIAG_SHUTDOWN:
      facts.shut = data.empty() ? 0 : data.front();
      break;
    default:
      break;
  }
}

Result<UnixFacts> parse(std::span<const std::uint8_t> answer) {
  const auto header = read<nlmsghdr>(answer);
  answer = answer.subspan(NLMSG_HDRLEN);
  if (header.nlmsg_type == NLMSG_ERROR)
    return Failure(Error{.code = -read<nlmsgerr>(answer).error, .call = "sock_diag"});
  const auto found = read<unix_diag_msg>(answer);
  UnixFacts facts{.listens = found.udiag_state == TCP_LISTEN,
                  .connected = found.udiag_state == TCP_ESTABLISHED};
  answer = answer.subspan(NLMSG_ALIGN(sizeof found));
  while (answer.size() >= NLA_HDRLEN) {
    const auto attribute = read<nlattr>(answer);
    if (attribute.nla_len < NLA_HDRLEN || attribute.nla_len > answer.size()) break;
    read_attribute(attribute.nla_type, answer.subspan(NLA_HDRLEN, attribute.nla_len - NLA_HDRLEN),
                   facts);
    answer = answer.subspan(std::min<std::size_t>(NLA_ALIGN(attribute.nla_len), answer.size()));
  }
  return facts;
}

}  // namespace

Result<UnixFacts> unix_facts(std::uint64_t inode) {
  const Fd netlink = TRY(make_socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG));
  Request request;
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.asked.sdiag_family = AF_UNIX;
  request.asked.udiag_states = ~0U;
  request.asked.udiag_ino = static_cast<std::uint32_t>(inode);
  request.asked.udiag_show = UDIAG_SHOW_VFS | UDIAG_SHOW_PEER | UDIAG_SHOW_ICONS | UDIAG_SHOW_RQLEN;
  request.asked.udiag_cookie[0] = request.asked.udiag_cookie[1] = ~0U;
  TRY(send_packet(netlink,
                  {.data = {reinterpret_cast<const std::uint8_t*>(&request), sizeof request}}));
  constexpr std::size_t room = 65536;
  std::vector<char> answer(room);
  const std::size_t size = TRY(sys::read(netlink, answer));
  if (size < NLMSG_HDRLEN) return fail("sock_diag gave a short answer");
  return during("asking the kernel about socket " + std::to_string(inode),
                parse({reinterpret_cast<const std::uint8_t*>(answer.data()), size}));
}

}  // namespace umbel::sys
