// MSG_PEEK looks at the first message; SO_PEEK_OFF (Linux 3.4) makes every look begin where the
// last one ended, and belongs to the socket, so it is put back. The descriptors of a message that
// is looked at are duplicated anew each time.
#include "sys/socket.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <thread>

#include "sys/call.h"
#include "sys/file.h"
#include "sys/namespace.h"

namespace umbel::sys {

namespace {

const sockaddr* pointer(const Address& address) {
  return reinterpret_cast<const sockaddr*>(address.data());
}

template <class Get>
Result<Address> address(Get get, FdRef socket, std::string_view call) {
  Address found(sizeof(sockaddr_storage));
  auto length = static_cast<socklen_t>(found.size());
  TRY(checked(get(socket.number(), reinterpret_cast<sockaddr*>(found.data()), &length), call));
  found.resize(length);
  return found;
}

void read_control(msghdr& message, Packet& packet) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET) continue;
    const std::size_t size = part->cmsg_len - CMSG_LEN(0);
    if (part->cmsg_type == SCM_RIGHTS) {
      for (std::size_t i = 0; i + sizeof(int) <= size; i += sizeof(int)) {
        int number = -1;
        std::memcpy(&number, CMSG_DATA(part) + i, sizeof number);
        packet.files.emplace_back(number);
      }
    } else if (part->cmsg_type == SCM_CREDENTIALS && size >= sizeof(ucred)) {
      ucred found{};
      std::memcpy(&found, CMSG_DATA(part), sizeof found);
      packet.ids = Ids{.pid = found.pid, .uid = found.uid, .gid = found.gid};
    }
  }
}

// Nothing: there is no more.
Result<std::optional<Packet>> peek_next(FdRef socket, std::vector<std::uint8_t>& buffer) {
  constexpr std::size_t control_room = 4096;
  alignas(cmsghdr) std::array<char, control_room> control{};
  Address sender(sizeof(sockaddr_storage));
  iovec data{.iov_base = buffer.data(), .iov_len = buffer.size()};
  msghdr message{.msg_name = sender.data(),
                 .msg_namelen = static_cast<socklen_t>(sender.size()),
                 .msg_iov = &data,
                 .msg_iovlen = 1,
                 .msg_control = control.data(),
                 .msg_controllen = control.size()};
  const ssize_t count = retried([&] {
    return ::recvmsg(socket.number(), &message, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  });
  if (count < 0 && errno == EAGAIN) return std::optional<Packet>();
  if (count < 0) return Failure(last_error("recvmsg"));
  Packet packet;
  read_control(message, packet);
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
    return fail_with(EMSGSIZE, "a message in a socket's queue is too long to be read");
  packet.data.assign(buffer.begin(), buffer.begin() + count);
  sender.resize(std::min<std::size_t>(message.msg_namelen, sender.size()));
  packet.sender = std::move(sender);
  return std::optional<Packet>(std::move(packet));
}

}  // namespace

Result<Fd> make_socket(int family, int type, int protocol) {
  return Fd(TRY(checked_int(::socket(family, type | SOCK_CLOEXEC, protocol), "socket")));
}
Result<SocketPair> unix_pair(int type) {
  std::array<int, 2> ends{};
  TRY(checked(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()), "socketpair"));
  return SocketPair{.one = Fd(ends[0]), .other = Fd(ends[1])};
}
Result<void> bind(FdRef socket, const Address& address) {
  return checked(::bind(socket.number(), pointer(address), static_cast<socklen_t>(address.size())),
                 "bind");
}
Result<void> connect(FdRef socket, const Address& address) {
  return checked(
      ::connect(socket.number(), pointer(address), static_cast<socklen_t>(address.size())),
      "connect");
}
Result<void> in_directory(const std::string& path, const std::function<Result<void>()>& work) {
  const Fd before = TRY(open(cwd, ".", O_PATH | O_DIRECTORY));
  TRY(checked(::chdir(path.c_str()), "chdir", path));
  Result<void> outcome = work();
  Result<void> back = checked(::fchdir(before.number()), "fchdir");
  TRY(std::move(outcome));
  return back;
}
Result<void> disconnect(FdRef socket) {
  const sockaddr nobody{.sa_family = AF_UNSPEC, .sa_data = {}};
  return checked(::connect(socket.number(), &nobody, sizeof nobody), "connect");
}
Result<void> listen(FdRef socket, int backlog) {
  return checked(::listen(socket.number(), backlog), "listen");
}
Result<Fd> accept_connection(FdRef listener) {
  return Fd(
      TRY(checked_int(::accept4(listener.number(), nullptr, nullptr, SOCK_CLOEXEC), "accept")));
}
Result<void> shut_down(FdRef socket, int how) {
  return checked(::shutdown(socket.number(), how), "shutdown");
}
Result<Address> local_address(FdRef socket) {
  return address(::getsockname, socket, "getsockname");
}
Result<Address> peer_address(FdRef socket) { return address(::getpeername, socket, "getpeername"); }

Result<std::vector<std::uint8_t>> option(FdRef socket, int level, int name, std::size_t room) {
  std::vector<std::uint8_t> value(room);
  auto length = static_cast<socklen_t>(room);
  TRY(checked(::getsockopt(socket.number(), level, name, value.data(), &length), "getsockopt",
              std::to_string(level) + ":" + std::to_string(name)));
  value.resize(length);
  return value;
}
Result<void> set_option(FdRef socket, int level, int name, Octets value) {
  return checked(::setsockopt(socket.number(), level, name, value.data(),
                              static_cast<socklen_t>(value.size())),
                 "setsockopt", std::to_string(level) + ":" + std::to_string(name));
}
Result<int> number_option(FdRef socket, int level, int name) {
  int value = 0;
  socklen_t length = sizeof value;
  TRY(checked(::getsockopt(socket.number(), level, name, &value, &length), "getsockopt",
              std::to_string(level) + ":" + std::to_string(name)));
  return value;
}
Result<void> set_number_option(FdRef socket, int level, int name, int value) {
  return set_option(socket, level, name,
                    {reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
}

void widen_buffers(FdRef socket, int bytes) {
  struct Way {
    int forced, plain;
  };
  for (const auto& [forced, plain] :
       {Way{SO_SNDBUFFORCE, SO_SNDBUF}, Way{SO_RCVBUFFORCE, SO_RCVBUF}})
    if (!set_number_option(socket, SOL_SOCKET, forced, bytes))
      (void)set_number_option(socket, SOL_SOCKET, plain, bytes);
}

Result<Ids> peer_ids(FdRef socket) {
  ucred found{};
  socklen_t length = sizeof found;
  TRY(checked(::getsockopt(socket.number(), SOL_SOCKET, SO_PEERCRED, &found, &length), "getsockopt",
              "SO_PEERCRED"));
  return Ids{.pid = found.pid, .uid = found.uid, .gid = found.gid};
}

Result<void> as_ids(uid_t uid, gid_t gid, const std::function<Result<void>()>& work) {
  const uid_t own_uid = ::geteuid();
  const gid_t own_gid = ::getegid();
  constexpr int same = -1;
  // Without the C library's wrappers, which would change all threads. The group first, since
  // afterwards one may not any more.
  if (gid != own_gid)
    TRY(checked(::syscall(SYS_setresgid, same, gid, same), "setresgid", std::to_string(gid)));
  Result<void> outcome;
  if (uid != own_uid)
    outcome = checked(::syscall(SYS_setresuid, same, uid, same), "setresuid", std::to_string(uid));
  if (outcome) outcome = work();
  if (uid != own_uid) ::syscall(SYS_setresuid, same, own_uid, same);
  if (gid != own_gid) ::syscall(SYS_setresgid, same, own_gid, same);
  return outcome;
}

Result<std::vector<Packet>> peek_queue(FdRef socket, Empty empty) {
  constexpr std::size_t longest = std::size_t{1} << 20;
  std::vector<Packet> packets;
  std::vector<std::uint8_t> buffer(longest);
  const int before = TRY(number_option(socket, SOL_SOCKET, SO_PEEK_OFF));
  TRY(set_number_option(socket, SOL_SOCKET, SO_PEEK_OFF, 0));
  Result<void> outcome;
  for (;;) {
    Result<std::optional<Packet>> next = peek_next(socket, buffer);
    if (!next) {
      outcome = Failure(next.error());
      break;
    }
    std::optional<Packet> packet = std::move(*next);
    if (!packet || (packet->data.empty() && empty == Empty::is_end)) break;
    packets.push_back(std::move(*packet));
  }
  const Result<void> back = set_number_option(socket, SOL_SOCKET, SO_PEEK_OFF, before);
  TRY(std::move(outcome));
  TRY(back);
  return packets;
}

Result<void> send_packet(FdRef socket, const Sending& what) {
  iovec data{.iov_base = const_cast<std::uint8_t*>(what.data.data()),  // sendmsg only reads
             .iov_len = what.data.size()};
  const std::size_t files = what.files.size() * sizeof(int);
  std::vector<char> control(CMSG_SPACE(files) + CMSG_SPACE(sizeof(ucred)));
  msghdr message{.msg_iov = &data, .msg_iovlen = 1};
  if (what.to != nullptr) {
    message.msg_name = const_cast<std::uint8_t*>(what.to->data());
    message.msg_namelen = static_cast<socklen_t>(what.to->size());
  }
  message.msg_control = control.data();
  message.msg_controllen =
      (files != 0 ? CMSG_SPACE(files) : 0) + (what.ids ? CMSG_SPACE(sizeof(ucred)) : 0);
  cmsghdr* part = message.msg_controllen != 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (files != 0) {
    *part = {.cmsg_len = CMSG_LEN(files), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    for (std::size_t i = 0; i < what.files.size(); ++i) {
      const int number = what.files[i].number();
      std::memcpy(CMSG_DATA(part) + i * sizeof number, &number, sizeof number);
    }
    part = CMSG_NXTHDR(&message, part);
  }
  if (what.ids) {
    *part = {.cmsg_len = CMSG_LEN(sizeof(ucred)),
             .cmsg_level = SOL_SOCKET,
             .cmsg_type = SCM_CREDENTIALS};
    const ucred ids{.pid = what.ids->pid, .uid = what.ids->uid, .gid = what.ids->gid};
    std::memcpy(CMSG_DATA(part), &ids, sizeof ids);
  }
  const ssize_t sent =
      retried([&] { return ::sendmsg(socket.number(), &message, MSG_DONTWAIT | MSG_NOSIGNAL); });
  if (sent < 0) return Failure(last_error("sendmsg"));
  if (static_cast<std::size_t>(sent) != what.data.size())
    return fail_with(EAGAIN, "only " + std::to_string(sent) + " of " +
                                 std::to_string(what.data.size()) + " bytes found room");
  return {};
}

Result<Fd> network_namespace_of(FdRef socket) {
  return Fd(TRY(checked_int(::ioctl(socket.number(), SIOCGSKNS), "SIOCGSKNS")));
}

Result<void> in_network_namespace(FdRef ns, const std::function<Result<void>()>& work) {
  Result<void> outcome;
  std::thread([&] {
    outcome = setns(ns, CLONE_NEWNET);
    if (outcome) outcome = work();
  }).join();
  return outcome;
}

}  // namespace umbel::sys
