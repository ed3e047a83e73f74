// tcp(7). A connection is its two addresses, its sequence numbers, what both sides agreed on, and
// two queues; TCP_REPAIR reads and sets all of that. What the peer sends meanwhile is dropped by a
// packet filter, so that nobody answers that there is no such connection; TCP sends it again. A
// socket is in repair only for as long as it is read, and again from the moment before its
// processes are killed: should umbel end in between, it works on.
#include "checkpoint/resource/tcp_socket.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "checkpoint/resource/file_kind.h"
#include "checkpoint/resource/internet_options.h"
#include "checkpoint/resource/tcp_hold.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/process.h"
#include "sys/tcp.h"

namespace umbel::checkpoint {

namespace {

constexpr std::uint32_t established = 1, closed = 7, listening = 10;
constexpr const char* hold_key = "tcp-hold";

struct Queue {
  std::uint32_t sequence = 0;
  image::Bytes data;
};
void fields(auto& archive, Queue& q) {
  archive("sequence", q.sequence);
  archive("data", q.data);
}

struct Connection {
  Queue sending, receiving;
  std::uint32_t unsent = 0, segment = 0, send_scale = 0, receive_scale = 0, stamp = 0;
  bool scales = false, selective = false, stamps = false;
  std::array<std::uint32_t, 5> window{};
  Buffers buffers;
};
void fields(auto& archive, Connection& c) {
  archive("sending", c.sending);
  archive("receiving", c.receiving);
  archive("unsent", c.unsent);
  archive("segment", c.segment);
  archive("send_scale", c.send_scale);
  archive("receive_scale", c.receive_scale);
  archive("stamp", c.stamp);
  archive("scales", c.scales);
  archive("selective", c.selective);
  archive("stamps", c.stamps);
  archive("window", c.window);
  archive("buffers", c.buffers);
}

struct TcpSocket {
  std::uint64_t id = 0;
  std::int32_t family = 0;
  image::Bytes local, peer;  // addresses; the peer's is empty without a connection
  bool listens = false;
  std::int32_t backlog = 0;
  std::optional<Connection> connection;
  std::vector<SocketOption> options;
};
void fields(auto& archive, TcpSocket& s) {
  archive("id", s.id);
  archive("family", s.family);
  archive("local", s.local);
  archive("peer", s.peer);
  archive("listens", s.listens);
  archive("backlog", s.backlog);
  archive("connection", s.connection);
  archive("options", s.options);
}

sys::TcpConnection to_system(const Connection& c) {
  return {.sending = {c.sending.sequence, c.sending.data},
          .receiving = {c.receiving.sequence, c.receiving.data},
          .unsent = c.unsent,
          .segment = c.segment,
          .scales = c.scales,
          .send_scale = c.send_scale,
          .receive_scale = c.receive_scale,
          .selective = c.selective,
          .stamps = c.stamps,
          .stamp = c.stamp,
          .window = c.window};
}
Connection from_system(sys::TcpConnection c) {
  return {.sending = {c.sending.sequence, std::move(c.sending.data)},
          .receiving = {c.receiving.sequence, std::move(c.receiving.data)},
          .unsent = c.unsent,
          .segment = c.segment,
          .send_scale = c.send_scale,
          .receive_scale = c.receive_scale,
          .stamp = c.stamp,
          .scales = c.scales,
          .selective = c.selective,
          .stamps = c.stamps,
          .window = c.window};
}

std::string shown(const sys::Address& address) {
  char text[INET6_ADDRSTRLEN] = {};
  sockaddr_in6 six{};
  std::memcpy(&six, address.data(), std::min(address.size(), sizeof six));
  sockaddr_in four{};
  std::memcpy(&four, address.data(), std::min(address.size(), sizeof four));
  if (six.sin6_family == AF_INET)
    ::inet_ntop(AF_INET, &four.sin_addr, text, sizeof text);
  else
    ::inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof text);
  return std::string(text) + " port " + std::to_string(ntohs(four.sin_port));
}

bool has_port(const sys::Address& address) {
  sockaddr_in four{};  // the port lies at the same place in both families
  std::memcpy(&four, address.data(), std::min(address.size(), sizeof four));
  return four.sin_port != 0;
}

// ---- dump ----

Result<Connection> dump_connection(const FileDump& from) {
  TRY(advise("umbel needs CAP_NET_ADMIN to take a connection over", sys::start_repair(from.file)));
  Result<sys::TcpConnection> read = sys::read_connection(from.file);
  // Without a packet filter, as when the program is left running, packets still arrive.
  constexpr int tries = 100;
  for (int i = 0; i < tries && !read && read.error().code == EAGAIN; ++i)
    read = sys::read_connection(from.file);
  const Result<void> ended = sys::end_repair_silently(from.file);
  sys::TcpConnection found = TRY(std::move(read));
  TRY(ended);
  Connection connection = from_system(std::move(found));
  connection.buffers = TRY(read_buffers(from.file));
  return connection;
}

Result<void> describe(const FileDump& from, const sys::TcpState& now, TcpSocket& state) {
  const std::string where = "the connection to " + shown(state.peer);
  if (from.dump.options.tcp_close) {
    state.local.clear();
    state.peer.clear();
    return {};
  }
  if (!from.dump.options.tcp_established)
    return fail_with(EOPNOTSUPP, where + " is open",
                     "close it before the checkpoint, have it carried (--tcp-established), or have "
                     "it closed (--tcp-close)");
  if (now.state != established)
    return fail_with(EAGAIN, where + " is being closed by one of its ends, or not made yet",
                     "checkpoint it again in a moment, or have it closed (--tcp-close)");
  state.connection = TRY(during(where, dump_connection(from)));
  return {};
}

Result<TcpSocket> dump(const FileDump& from) {
  TcpSocket state{.id = from.descriptor.status.st_ino};
  state.family = TRY(sys::number_option(from.file, SOL_SOCKET, SO_DOMAIN));
  state.local = TRY(sys::local_address(from.file));
  state.options = TRY(read_options(from.file, internet_options));
  const sys::TcpState now = TRY(sys::tcp_state(from.file));
  if (now.state == listening) {
    state.listens = true;
    state.backlog = static_cast<std::int32_t>(now.backlog);
    if (now.waiting != 0 && !from.dump.options.tcp_close)
      return fail_with(
          EAGAIN,
          std::to_string(now.waiting) + " clients wait to be accepted at " + shown(state.local),
          "let the program accept them and checkpoint it again, or have them closed "
          "(--tcp-close)");
    return state;
  }
  if (now.state == closed) return state;
  if (const auto peer = sys::peer_address(from.file)) state.peer = *peer;
  TRY(describe(from, now, state));
  return state;
}

// Every connection of the tree, with a descriptor of it.
struct Found {
  Fd socket;
  Ends ends;
};
Result<std::vector<Found>> connections(Dump& dump) {
  std::vector<Found> found;
  std::set<std::uint64_t> seen;
  for (const auto& process : dump.processes)
    for (const inspect::Descriptor& descriptor : process->descriptors) {
      if (descriptor.kind != inspect::Kind::tcp_socket ||
          !seen.insert(descriptor.status.st_ino).second)
        continue;
      Fd socket = TRY(sys::pidfd_getfd(process->pidfd, descriptor.number));
      const sys::TcpState state = TRY(sys::tcp_state(socket));
      if (state.state != established) continue;
      Ends ends;
      ends.local = TRY(sys::local_address(socket));
      ends.peer = TRY(sys::peer_address(socket));
      found.push_back({std::move(socket), std::move(ends)});
    }
  return found;
}

}  // namespace

Result<void> hold_connections(Dump& dump) {
  const DumpOptions& options = dump.options;
  if (!options.tcp_established || options.tcp_close || options.after != DumpOptions::After::kill)
    return {};
  const std::vector<Found> found = TRY(connections(dump));
  if (found.empty()) return {};
  std::vector<Ends> ends;
  for (const Found& one : found) ends.push_back(one.ends);
  const sys::Clock now = TRY(sys::clock_now(CLOCK_REALTIME));
  const std::string table = "umbel_hold_" + std::to_string(dump.frozen.root().pid().value()) + "_" +
                            std::to_string(now.seconds);
  const Fd ns = TRY(sys::network_namespace_of(found.front().socket));
  TRY(hold(ns, table, ends));
  dump.held = table;
  return dump.object(hold_key, [&]() -> Result<Value> { return Value(table); });
}

Result<void> end_connections_silently(Dump& dump) {
  if (dump.held.empty()) return {};
  std::vector<Found> found = TRY(connections(dump));
  for (Found& one : found) {
    TRY(sys::start_repair(one.socket));
    // Kept open until the processes have ended.
    dump.in_repair.push_back(std::move(one.socket));
  }
  return {};
}

// ---- restore ----

namespace {

std::string key_of(std::uint64_t id) { return "tcp:" + std::to_string(id); }

// Of their protocol's default: a listener or a bound socket goes first, since connections may have
// its port.
Result<Fd> make_plain(const TcpSocket& state) {
  Fd socket = TRY(sys::make_socket(state.family, SOCK_STREAM));
  TRY(restore_options(socket, state.options));
  if (has_port(state.local) && (state.listens || state.peer.empty()))
    TRY(advise(
        "end the program that has the port now",
        during("binding a socket to " + shown(state.local), sys::bind(socket, state.local))));
  if (state.listens) TRY(sys::listen(socket, state.backlog));
  TRY(restore_buffers(socket, state.options));
  return socket;
}

Result<Fd> make_connection(const TcpSocket& state, const Connection& connection) {
  const sys::TcpConnection wanted = to_system(connection);
  Fd socket = TRY(sys::make_socket(state.family, SOCK_STREAM));
  // Some must be set before it is bound; the end of the repair resets others.
  TRY(restore_options(socket, state.options));
  TRY(advise("umbel needs CAP_NET_ADMIN to restore a connection", sys::start_repair(socket)));
  // Its queues are cut otherwise than they were and may take more room.
  constexpr int enough = 1 << 27;
  sys::widen_buffers(socket, enough);
  TRY(during("binding a socket to " + shown(state.local), sys::bind(socket, state.local)));
  TRY(sys::set_sequences(socket, wanted));
  TRY(during("connecting to " + shown(state.peer), sys::connect(socket, state.peer)));
  TRY(sys::set_connection(socket, wanted));
  return socket;
}

Result<void> make_listeners(Restore& restore) {
  const std::string kind(inspect::info(inspect::Kind::tcp_socket).name);
  for (const image::File& file : restore.tree.files) {
    if (file.kind != kind) continue;
    const TcpSocket state = TRY(from_value<TcpSocket>(file.state));
    if (state.connection) continue;
    TRY(restore.shared(key_of(state.id), [&] { return make_plain(state); }));
  }
  return {};
}

Result<Fd> restore(const FileRestore& to, const TcpSocket& state) {
  if (to.restore.first_time("make tcp listeners")) TRY(make_listeners(to.restore));
  if (state.connection) return make_connection(state, *state.connection);
  const FdRef socket = TRY(to.restore.shared(key_of(state.id), [&] { return make_plain(state); }));
  return sys::duplicate(socket);
}

// The peer hears of it when nothing can fail any more.
Result<void> settle(Restore& restore, const TcpSocket& state, FdRef socket) {
  if (!state.connection) return {};
  const auto number = socket.number();
  // Binding it to an address, which connect(2) had done, has set this one for good.
  std::vector<SocketOption> options = state.options;
  std::erase_if(options, [](const SocketOption& option) {
    return option.level == IPPROTO_IPV6 && option.name == IPV6_V6ONLY;
  });
  restore.at_the_end([state, number, options]() -> Result<void> {
    const FdRef connected{number};
    TRY(sys::end_repair(connected));
    TRY(restore_options(connected, options));
    TRY(sys::send_unsent(connected, to_system(*state.connection)));
    return restore_buffers(connected, state.connection->buffers);
  });
  if (!restore.first_time("let connections flow")) return {};
  if (!restore.tree.objects.contains(hold_key)) return {};
  const Value value = TRY(restore.object(hold_key));
  const std::string table = TRY(from_value<std::string>(value));
  restore.after_the_end([table] { return let_flow(table); });
  return {};
}

}  // namespace

extern const FileKind tcp_socket =
    with_settle<TcpSocket, settle>(file_kind<TcpSocket, dump, restore>(inspect::Kind::tcp_socket));

}  // namespace umbel::checkpoint
