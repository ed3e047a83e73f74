// A restored socket is compared option by option with what the image says, so that nothing is set
// (which may need a privilege) that is so anyway. The kernel answers twice the size that was set
// for a buffer, and remembers that it was set: one that was not goes on being sized by it.
#include "checkpoint/resource/socket_options.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cstring>

#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif

namespace umbel::checkpoint {

namespace {

constexpr std::array common = std::to_array<KnownOption>({
    {SOL_SOCKET, SO_REUSEADDR},
    {SOL_SOCKET, SO_REUSEPORT},
    {SOL_SOCKET, SO_KEEPALIVE},
    {SOL_SOCKET, SO_BROADCAST},
    {SOL_SOCKET, SO_OOBINLINE},
    {SOL_SOCKET, SO_DONTROUTE},
    {SOL_SOCKET, SO_PRIORITY},
    {SOL_SOCKET, SO_MARK},
    {SOL_SOCKET, SO_NO_CHECK},
    {SOL_SOCKET, SO_RCVLOWAT},
    {SOL_SOCKET, SO_LINGER, sizeof(linger)},
    {SOL_SOCKET, SO_RCVTIMEO, sizeof(timeval)},
    {SOL_SOCKET, SO_SNDTIMEO, sizeof(timeval)},
    {SOL_SOCKET, SO_PASSCRED},
    {SOL_SOCKET, SO_PASSSEC},
    {SOL_SOCKET, SO_PEEK_OFF},
    {SOL_SOCKET, SO_RXQ_OVFL},
    {SOL_SOCKET, SO_TIMESTAMP},
    {SOL_SOCKET, SO_TIMESTAMPNS},
    {SOL_SOCKET, SO_BINDTODEVICE, 16},
});
constexpr std::array buffers =
    std::to_array<KnownOption>({{SOL_SOCKET, SO_SNDBUF}, {SOL_SOCKET, SO_RCVBUF}});

Result<void> read(FdRef socket, const KnownOption& known, std::vector<SocketOption>& options) {
  auto value = sys::option(socket, known.level, known.name, known.size);
  // Another family has other options.
  if (!value && (value.error().code == ENOPROTOOPT || value.error().code == EOPNOTSUPP)) return {};
  if (!value) return Failure(value.error());
  options.push_back({.level = known.level, .name = known.name, .value = std::move(*value)});
  return {};
}

bool is_buffer(const SocketOption& option) {
  return option.level == SOL_SOCKET &&
         std::ranges::find(buffers, option.name, &KnownOption::name) != buffers.end();
}

int number_of(const SocketOption& option) {
  int value = 0;
  std::memcpy(&value, option.value.data(), std::min(option.value.size(), sizeof value));
  return value;
}

Result<void> check_filter(FdRef socket) {
  // The length of a classic filter; EACCES for one of eBPF.
  const auto filter = sys::option(socket, SOL_SOCKET, SO_GET_FILTER, 0);
  if (filter && filter->empty()) return {};
  if (!filter && filter.error().code != EACCES) return {};
  return fail_with(EOPNOTSUPP, "the socket has a packet filter, which can't be carried yet",
                   "detach it before the checkpoint (SO_DETACH_FILTER)");
}

}  // namespace

Result<std::vector<SocketOption>> read_options(FdRef socket, std::span<const KnownOption> more) {
  std::vector<SocketOption> options;
  TRY(check_filter(socket));
  for (const KnownOption& known : common) TRY(read(socket, known, options));
  for (const KnownOption& known : more) TRY(read(socket, known, options));
  const auto locked = sys::number_option(socket, SOL_SOCKET, SO_BUF_LOCK);
  for (std::size_t i = 0; i < buffers.size(); ++i)
    // Bit 0 for sending, bit 1 for receiving; before Linux 5.14 nobody knows.
    if (!locked || (*locked >> i & 1) != 0) TRY(read(socket, buffers[i], options));
  return options;
}

Result<void> restore_options(FdRef socket, std::span<const SocketOption> options) {
  for (const SocketOption& option : options) {
    if (is_buffer(option)) continue;
    const auto now = sys::option(socket, option.level, option.name,
                                 std::max<std::size_t>(option.value.size(), sizeof(int)));
    if (now && *now == option.value) continue;
    TRY(sys::set_option(socket, option.level, option.name, option.value));
  }
  return {};
}

namespace {

Result<void> set_buffer(FdRef socket, int forced, int plain, int twice) {
  if (sys::set_number_option(socket, SOL_SOCKET, forced, twice / 2)) return {};
  return sys::set_number_option(socket, SOL_SOCKET, plain, twice / 2);
}

}  // namespace

Result<void> restore_buffers(FdRef socket, std::span<const SocketOption> options) {
  for (const SocketOption& option : options) {
    if (!is_buffer(option)) continue;
    const int forced = option.name == SO_SNDBUF ? SO_SNDBUFFORCE : SO_RCVBUFFORCE;
    TRY(set_buffer(socket, forced, option.name, number_of(option)));
  }
  return {};
}

Result<Buffers> read_buffers(FdRef socket) {
  Buffers buffers;
  buffers.sending = TRY(sys::number_option(socket, SOL_SOCKET, SO_SNDBUF));
  buffers.receiving = TRY(sys::number_option(socket, SOL_SOCKET, SO_RCVBUF));
  buffers.set_by_program = sys::number_option(socket, SOL_SOCKET, SO_BUF_LOCK).value_or(0);
  return buffers;
}

Result<void> restore_buffers(FdRef socket, const Buffers& buffers) {
  TRY(set_buffer(socket, SO_SNDBUFFORCE, SO_SNDBUF, buffers.sending));
  TRY(set_buffer(socket, SO_RCVBUFFORCE, SO_RCVBUF, buffers.receiving));
  // Linux 5.14; before, both count as set by the program now.
  (void)sys::set_number_option(socket, SOL_SOCKET, SO_BUF_LOCK, buffers.set_by_program);
  return {};
}

}  // namespace umbel::checkpoint
