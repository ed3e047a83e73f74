// A signal ends poll(2) early; all the rest is tried again. Sockets are asked by flag
// (MSG_DONTWAIT), so that their descriptors stay as they are; pipes and terminals know only
// O_NONBLOCK, which everybody shares who has the same description.
#include "sys/stream.h"

#include <sys/socket.h>
#include <unistd.h>

#include "sys/call.h"

namespace umbel::sys {

namespace {

Result<Moved> moved(ssize_t count, std::string_view call) {
  if (count < 0 && errno == EAGAIN) return Moved{.later = true};
  if (count < 0) return Failure(last_error(call));
  return Moved{.bytes = static_cast<std::size_t>(count)};
}

// Who closes a socket without having read everything makes the other end's next read fail, before
// what was sent to it; the read after that goes on as if nothing had been.
template <class Call>
ssize_t unless_reset(Call call) {
  const ssize_t count = retried(call);
  return count < 0 && errno == ECONNRESET ? retried(call) : count;
}

}  // namespace

Result<bool> wait_any(std::span<pollfd> watched, std::chrono::milliseconds at_most) {
  const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(at_most.count()));
  if (ready >= 0) return ready > 0;
  if (errno != EINTR) return Failure(last_error("poll"));
  for (pollfd& one : watched) one.revents = 0;
  return false;
}

Result<Moved> write_some(FdRef fd, std::string_view data) {
  return moved(retried([&] { return ::write(fd.number(), data.data(), data.size()); }), "write");
}

Result<std::size_t> write_parts(FdRef fd, std::span<const iovec> parts) {
  const ssize_t count =
      retried([&] { return ::writev(fd.number(), parts.data(), static_cast<int>(parts.size())); });
  if (count < 0) return Failure(last_error("writev"));
  return static_cast<std::size_t>(count);
}

Result<Moved> read_some(FdRef fd, std::span<char> into) {
  return moved(retried([&] { return ::read(fd.number(), into.data(), into.size()); }), "read");
}

Result<void> write_patiently(FdRef fd, std::string_view data) {
  while (!data.empty()) {
    const Moved moved = TRY(write_some(fd, data));
    data.remove_prefix(moved.bytes);
    if (!moved.later) continue;
    pollfd room{.fd = fd.number(), .events = POLLOUT, .revents = 0};
    TRY(wait_any(std::span(&room, 1)));
  }
  return {};
}

Result<void> set_size(FdRef file, std::uint64_t size) {
  return checked(::ftruncate(file.number(), static_cast<off_t>(size)), "ftruncate");
}

Result<void> seek(FdRef file, std::uint64_t from_start) {
  return checked(::lseek(file.number(), static_cast<off_t>(from_start), SEEK_SET), "lseek");
}

Result<bool> offer(FdRef socket, std::string_view message) {
  const ssize_t count = retried([&] {
    return ::send(socket.number(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  });
  // ENOBUFS: the kernel itself is short of memory.
  if (count < 0 && (errno == EAGAIN || errno == ENOBUFS)) return false;
  if (count < 0) return Failure(last_error("send"));
  return true;
}

Result<Moved> take(FdRef socket, std::span<char> into) {
  iovec part{into.data(), into.size()};
  // Without room for descriptors the kernel closes any that come along.
  msghdr message{.msg_iov = &part, .msg_iovlen = 1};
  const ssize_t count =
      unless_reset([&] { return ::recvmsg(socket.number(), &message, MSG_DONTWAIT); });
  if (count >= 0 && (message.msg_flags & MSG_TRUNC) != 0)
    return fail_with(EMSGSIZE, "received a message that is too long");
  return moved(count, "recvmsg");
}

Result<std::optional<char>> peek(FdRef socket) {
  char first = 0;
  const ssize_t count =
      unless_reset([&] { return ::recv(socket.number(), &first, 1, MSG_DONTWAIT | MSG_PEEK); });
  if (count == 0 || (count < 0 && errno == EAGAIN)) return std::optional<char>();
  if (count < 0) return Failure(last_error("recv"));
  return std::optional(first);
}

}  // namespace umbel::sys
