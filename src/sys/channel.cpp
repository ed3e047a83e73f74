// SOCK_SEQPACKET keeps message borders and, unlike SOCK_DGRAM, tells when the other end is gone: by
// an empty read, which is why an empty message can't be sent. unix(7), cmsg(3).
#include "sys/channel.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstring>

#include "sys/call.h"

namespace umbel::sys {

namespace {

constexpr std::size_t most_fds = 8;
constexpr std::size_t most_bytes = std::size_t{64} << 10;

Result<sockaddr_un> address(const std::string& path) {
  sockaddr_un made{};
  made.sun_family = AF_UNIX;
  if (path.size() >= sizeof made.sun_path)
    return fail("the socket path " + path + " is longer than the kernel's 107 bytes");
  std::memcpy(&made.sun_path[0], path.c_str(), path.size() + 1);
  return made;
}

Result<Fd> socket(int type = SOCK_SEQPACKET) {
  return Fd(TRY(checked_int(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0), "socket")));
}

Result<void> connect(FdRef client, const std::string& path) {
  const sockaddr_un where = TRY(address(path));
  return checked(retried([&] {
                   return ::connect(client.number(), reinterpret_cast<const sockaddr*>(&where),
                                    sizeof where);
                 }),
                 "connect", path);
}

}  // namespace

Result<Channel> channel() {
  std::array<int, 2> ends{};
  TRY(checked(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), "socketpair"));
  return Channel{Fd(ends[0]), Fd(ends[1])};
}

Result<void> send(FdRef socket, std::string_view data, std::span<const FdRef> fds) {
  ensure(fds.size() <= most_fds, "at most 8 descriptors a message");
  if (data.empty()) return fail_with(EINVAL, "an empty message looks like the end");
  if (data.size() > most_bytes) return fail_with(EMSGSIZE, "a message of more than 64 KiB");
  iovec part{const_cast<char*>(data.data()), data.size()};  // NOLINT: sendmsg only reads it
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * most_fds)> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
    std::array<int, most_fds> numbers{};
    for (std::size_t i = 0; i < fds.size(); ++i) numbers.at(i) = fds[i].number();
    std::memcpy(CMSG_DATA(header), numbers.data(), sizeof(int) * fds.size());
  }
  return checked(retried([&] { return ::sendmsg(socket.number(), &message, MSG_NOSIGNAL); }),
                 "sendmsg");
}

Result<Message> receive(FdRef socket) {
  Message received;
  received.data.resize(most_bytes);
  iovec part{received.data.data(), received.data.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * most_fds)> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  const auto take = [&] {
    message.msg_controllen = control.size();
    return retried([&] { return ::recvmsg(socket.number(), &message, MSG_CMSG_CLOEXEC); });
  };
  ssize_t count = take();
  // The other end has closed with something unread. That is told first, and once: what it said
  // before is still to come.
  if (count < 0 && errno == ECONNRESET) count = take();
  if (count < 0 && errno == ECONNRESET) {
    received.closed = true;
    received.data.clear();
    return received;
  }
  if (count < 0) return Failure(last_error("recvmsg"));
  received.data.resize(static_cast<std::size_t>(count));
  received.closed = count == 0;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t number_of_fds = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    std::array<int, most_fds> numbers{};
    std::memcpy(numbers.data(), CMSG_DATA(header), number_of_fds * sizeof(int));
    for (std::size_t i = 0; i < number_of_fds; ++i) received.fds.emplace_back(numbers.at(i));
  }
  if ((message.msg_flags & MSG_TRUNC) != 0)
    return fail_with(EMSGSIZE, "received a message of more than 64 KiB");
  if ((message.msg_flags & MSG_CTRUNC) != 0)
    return fail_with(EMFILE, "received more descriptors than could be taken in",
                     "raise the limit on open files");
  return received;
}

Result<Fd> listen_at(const std::string& path) {
  const sockaddr_un where = TRY(address(path));
  Fd listener = TRY(socket());
  ::unlink(path.c_str());  // one left over from a killed monitor
  TRY(checked(::bind(listener.number(), reinterpret_cast<const sockaddr*>(&where), sizeof where),
              "bind", path));
  TRY(checked(::listen(listener.number(), 16), "listen", path));
  return listener;
}

Result<Fd> connect_to(const std::string& path) {
  Fd client = TRY(socket());
  TRY(connect(client, path));
  return client;
}

Result<void> send_to(const std::string& path, std::string_view data, FdRef fd) {
  const Fd client = TRY(socket(SOCK_STREAM));
  TRY(connect(client, path));
  return send(client, data, std::span(&fd, 1));
}

Result<Fd> accept(FdRef listener) {
  return Fd(TRY(checked_int(
      retried([&] { return ::accept4(listener.number(), nullptr, nullptr, SOCK_CLOEXEC); }),
      "accept")));
}

}  // namespace umbel::sys
