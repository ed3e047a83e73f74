// In repair, TCP_REPAIR_QUEUE chooses a queue: TCP_QUEUE_SEQ is the number of the byte after its
// end, recv with MSG_PEEK reads it, and send appends to it, without a packet. What is appended to
// the sending queue counts as sent, so what never left is sent again after the repair.
#include "sys/tcp.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "sys/call.h"
#include "sys/socket.h"

namespace umbel::sys {

namespace {

constexpr int repair_on = 1, repair_off = 0, repair_off_silently = -1;
constexpr int receiving_queue = 1, sending_queue = 2;
constexpr int option_segment = 2, option_window = 3, option_selective = 4, option_stamps = 8;

Result<void> choose(FdRef socket, int queue) {
  return set_number_option(socket, IPPROTO_TCP, TCP_REPAIR_QUEUE, queue);
}

Result<TcpQueue> read_queue(FdRef socket, int which, int size) {
  TRY(choose(socket, which));
  TcpQueue queue;
  const auto end =
      static_cast<std::uint32_t>(TRY(number_option(socket, IPPROTO_TCP, TCP_QUEUE_SEQ)));
  queue.data.resize(static_cast<std::size_t>(size));
  if (size > 0) {
    const ssize_t got =
        ::recv(socket.number(), queue.data.data(), queue.data.size(), MSG_PEEK | MSG_DONTWAIT);
    if (got < 0) return Failure(last_error("recv", "the queue of a connection"));
    if (got != size)
      return fail_with(EAGAIN, "the queue of a connection had " + std::to_string(got) +
                                   " bytes and not " + std::to_string(size));
  }
  queue.sequence = end - static_cast<std::uint32_t>(size);
  return queue;
}

Result<int> ask(FdRef socket, unsigned long request, std::string_view name) {
  int value = 0;
  TRY(checked(::ioctl(socket.number(), request, &value), name));
  return value;
}

Result<tcp_info> info(FdRef socket) {
  const auto bytes = TRY(option(socket, IPPROTO_TCP, TCP_INFO, sizeof(tcp_info)));
  tcp_info found{};
  std::memcpy(&found, bytes.data(), std::min(bytes.size(), sizeof found));
  return found;
}

Result<void> append(FdRef socket, Octets data) {
  constexpr std::size_t step = 65536;
  while (!data.empty()) {
    const std::size_t size = std::min(step, data.size());
    TRY(send_packet(socket, {.data = data.first(size)}));
    data = data.subspan(size);
  }
  return {};
}

}  // namespace

Result<void> start_repair(FdRef socket) {
  return set_number_option(socket, IPPROTO_TCP, TCP_REPAIR, repair_on);
}
Result<void> end_repair_silently(FdRef socket) {
  return set_number_option(socket, IPPROTO_TCP, TCP_REPAIR, repair_off_silently);
}
Result<void> end_repair(FdRef socket) {
  return set_number_option(socket, IPPROTO_TCP, TCP_REPAIR, repair_off);
}

Result<TcpState> tcp_state(FdRef socket) {
  const tcp_info found = TRY(info(socket));
  return TcpState{
      .state = found.tcpi_state, .waiting = found.tcpi_unacked, .backlog = found.tcpi_sacked};
}

Result<TcpConnection> read_connection(FdRef socket) {
  TcpConnection made;
  const tcp_info found = TRY(info(socket));
  const int in = TRY(ask(socket, SIOCINQ, "SIOCINQ")), out = TRY(ask(socket, SIOCOUTQ, "SIOCOUTQ"));
  made.unsent = static_cast<std::uint32_t>(TRY(ask(socket, SIOCOUTQNSD, "SIOCOUTQNSD")));
  made.receiving = TRY(read_queue(socket, receiving_queue, in));
  made.sending = TRY(read_queue(socket, sending_queue, out));
  made.segment = static_cast<std::uint32_t>(TRY(number_option(socket, IPPROTO_TCP, TCP_MAXSEG)));
  made.scales = (found.tcpi_options & TCPI_OPT_WSCALE) != 0;
  made.send_scale = found.tcpi_snd_wscale;
  made.receive_scale = found.tcpi_rcv_wscale;
  made.selective = (found.tcpi_options & TCPI_OPT_SACK) != 0;
  made.stamps = (found.tcpi_options & TCPI_OPT_TIMESTAMPS) != 0;
  made.stamp = static_cast<std::uint32_t>(TRY(number_option(socket, IPPROTO_TCP, TCP_TIMESTAMP)));
  const auto window =
      TRY(option(socket, IPPROTO_TCP, TCP_REPAIR_WINDOW, sizeof(tcp_repair_window)));
  std::memcpy(made.window.data(), window.data(), std::min(window.size(), sizeof made.window));
  // Only now is it known that all of it was of one moment.
  const int in_now = TRY(ask(socket, SIOCINQ, "SIOCINQ")),
            out_now = TRY(ask(socket, SIOCOUTQ, "SIOCOUTQ"));
  if (in != in_now || out != out_now)
    return fail_with(EAGAIN, "the queues of a connection have changed");
  return made;
}

Result<void> set_sequences(FdRef socket, const TcpConnection& connection) {
  TRY(choose(socket, receiving_queue));
  TRY(set_number_option(socket, IPPROTO_TCP, TCP_QUEUE_SEQ,
                        static_cast<int>(connection.receiving.sequence)));
  TRY(choose(socket, sending_queue));
  return set_number_option(socket, IPPROTO_TCP, TCP_QUEUE_SEQ,
                           static_cast<int>(connection.sending.sequence));
}

Result<void> set_connection(FdRef socket, const TcpConnection& connection) {
  std::vector<tcp_repair_opt> options;
  options.push_back({.opt_code = option_segment, .opt_val = connection.segment});
  if (connection.scales)
    options.push_back({.opt_code = option_window,
                       .opt_val = connection.send_scale | connection.receive_scale << 16});
  if (connection.selective) options.push_back({.opt_code = option_selective, .opt_val = 0});
  if (connection.stamps) options.push_back({.opt_code = option_stamps, .opt_val = 0});
  TRY(set_option(socket, IPPROTO_TCP, TCP_REPAIR_OPTIONS,
                 {reinterpret_cast<const std::uint8_t*>(options.data()),
                  options.size() * sizeof(tcp_repair_opt)}));
  if (connection.stamps)
    TRY(set_number_option(socket, IPPROTO_TCP, TCP_TIMESTAMP, static_cast<int>(connection.stamp)));
  TRY(choose(socket, receiving_queue));
  TRY(append(socket, connection.receiving.data));
  TRY(choose(socket, sending_queue));
  const Octets all(connection.sending.data);
  TRY(append(socket, all.first(all.size() - std::min<std::size_t>(connection.unsent, all.size()))));
  return set_option(
      socket, IPPROTO_TCP, TCP_REPAIR_WINDOW,
      {reinterpret_cast<const std::uint8_t*>(connection.window.data()), sizeof connection.window});
}

Result<void> send_unsent(FdRef socket, const TcpConnection& connection) {
  const Octets all(connection.sending.data);
  return append(socket, all.last(std::min<std::size_t>(connection.unsent, all.size())));
}

}  // namespace umbel::sys
