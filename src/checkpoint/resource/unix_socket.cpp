// unix(7). Which two sockets are connected, and who waits at one that listens, only sock_diag(7)
// tells, by inodes. What is in a queue is looked at and stays where it is, descriptors in flight
// included: those are open files of the tree like any other, though perhaps nobody's descriptor.
#include "checkpoint/resource/unix_socket.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>

#include "sys/file.h"
#include "sys/procfs.h"
#include "sys/unix_diagnosis.h"

namespace umbel::checkpoint {

std::string UnixName::path() const {
  if (!exists() || abstract()) return {};
  const std::string text(address.begin() + sizeof(std::uint16_t), address.end());
  return text.substr(0, text.find('\0'));
}

namespace {

Result<sys::UnixFacts> facts_of(const FileDump& from) {
  const std::uint64_t inode = from.descriptor.status.st_ino;
  const Result<Fd> ns = sys::network_namespace_of(from.file);
  const Fd own = TRY(sys::open(cwd, sys::proc_path("self/ns/net"), O_RDONLY));
  if (!ns || TRY(sys::identity(*ns)) == TRY(sys::identity(own))) return sys::unix_facts(inode);
  Result<sys::UnixFacts> found = fail("nobody was asked");
  TRY(sys::in_network_namespace(*ns, [&]() -> Result<void> {
    found = sys::unix_facts(inode);
    return {};
  }));
  return found;
}

// A relative path started at the directory in which the process was then; it may be in another one
// now, but then no file of that inode is there.
Result<void> look_at_file(const FileDump& from, const sys::UnixFacts& facts, UnixName& name) {
  const std::string path = name.path();
  if (path.empty() || !facts.file) return {};
  name.has_file = true;
  if (!path.starts_with('/')) name.directory = TRY(from.process.facts.link("cwd"));
  const std::string whole = name.directory.empty() ? path : name.directory + "/" + path;
  const Result<struct stat> there = sys::status_at(cwd, whole);
  name.file_is_gone = !there || !S_ISSOCK(there->st_mode) || there->st_ino != *facts.file;
  if (name.file_is_gone) return {};
  name.mode = there->st_mode & 07777;
  name.uid = there->st_uid;
  name.gid = there->st_gid;
  return {};
}

Result<void> dump_queue(const FileDump& from, UnixSocket& state) {
  constexpr int no_more = 1;
  const bool ends =
      state.type == SOCK_STREAM || (state.type == SOCK_SEQPACKET && (state.shut & no_more) != 0);
  auto packets = TRY(sys::peek_queue(from.file, ends ? sys::Empty::is_end : sys::Empty::is_packet));
  for (sys::Packet& packet : packets) {
    UnixPacket made{.data = std::move(packet.data)};
    for (Fd& file : packet.files) {
      FileReference reference = TRY(during("a descriptor that is in flight",
                                           from.dump.in_flight(from.process, std::move(file))));
      made.files.push_back(reference);
    }
    if (packet.sender.size() > sizeof(std::uint16_t)) made.sender = std::move(packet.sender);
    if (packet.ids) {
      made.has_ids = true;
      made.pid = from.dump.inner(HostPid(packet.ids->pid)).value_or(InnerPid());
      made.uid = packet.ids->uid;
      made.gid = packet.ids->gid;
    }
    state.queue.push_back(std::move(made));
  }
  return {};
}

Failure peer_outside(const UnixSocket& socket) {
  UnixName peer{.address = socket.peer_address};
  const std::string name = peer.path().empty() ? "" : " (" + peer.path() + ")";
  if (socket.type == SOCK_DGRAM && peer.exists())
    return fail_with(EOPNOTSUPP, "the socket's peer is outside of what is dumped" + name,
                     "dump the peer with it, or have it found again by its name (--ext-unix-sk)");
  return fail_with(EOPNOTSUPP, "the socket's peer is outside of what is dumped" + name,
                   "close the connection before the checkpoint, or dump the peer with it: a "
                   "connection to somebody who goes on can't be made again");
}

const char* const unaccepted_data =
    "a client has sent data on a connection that nobody has accepted yet, where it can't be read";

}  // namespace

Result<UnixSocket> dump_unix(const FileDump& from) {
  UnixSocket state{.id = from.descriptor.status.st_ino};
  state.type = TRY(sys::number_option(from.file, SOL_SOCKET, SO_TYPE));
  const sys::UnixFacts facts = TRY(facts_of(from));
  state.listens = facts.listens;
  state.backlog = static_cast<std::int32_t>(facts.listens ? facts.sent : 0);
  state.pending = facts.pending;
  // A datagram socket that somebody else is connected to counts as connected there.
  state.connected = facts.peer.has_value() || (facts.connected && state.type != SOCK_DGRAM);
  state.peer = facts.peer.value_or(0);
  state.shut = facts.shut;
  state.name.address = TRY(sys::local_address(from.file));
  TRY(look_at_file(from, facts, state.name));
  if (state.connected)
    if (const auto address = sys::peer_address(from.file)) state.peer_address = *address;
  const sys::Ids ids = TRY(sys::peer_ids(from.file));
  state.peer_uid = ids.uid;
  state.peer_gid = ids.gid;
  state.options = TRY(read_options(from.file, {}));
  if (state.connected || state.type == SOCK_DGRAM) TRY(dump_queue(from, state));
  state.unread = facts.listens ? 0 : facts.sent;
  return state;
}

Result<void> check_unix_peers(const Dump& dump) {
  const std::string kind(inspect::info(inspect::Kind::unix_socket).name);
  std::map<std::uint64_t, UnixSocket> all;
  std::map<std::uint64_t, bool> waits;
  for (const image::File& file : dump.tree.files)
    if (file.kind == kind) {
      UnixSocket state = TRY(from_value<UnixSocket>(file.state));
      for (const std::uint64_t client : state.pending) waits[client] = true;
      all.emplace(state.id, std::move(state));
    }
  for (const auto& [id, state] : all) {
    const auto check = [&]() -> Result<void> {
      for (const std::uint64_t client : state.pending)
        if (!all.contains(client))
          return fail_with(EOPNOTSUPP, "a client outside of what is dumped waits to be accepted",
                           "let the program accept it, or end the client");
      if (waits.contains(id) && state.unread != 0)
        return fail_with(EAGAIN, unaccepted_data,
                         "let the server accept it, and checkpoint it again");
      if (state.peer == 0 || all.contains(state.peer)) return {};
      const UnixName peer{.address = state.peer_address};
      if (state.type == SOCK_DGRAM && peer.exists() && dump.options.external_unix_sockets)
        return {};
      return peer_outside(state);
    };
    TRY(during("unix socket " + std::to_string(id) +
                   (state.name.path().empty() ? "" : " (" + state.name.path() + ")"),
               check()));
  }
  return {};
}

namespace {

Result<UnixSocket> dump(const FileDump& from) { return dump_unix(from); }
Result<Fd> restore(const FileRestore& to, const UnixSocket& state) {
  return restore_unix(to, state);
}

}  // namespace

extern const FileKind unix_socket = with_settle<UnixSocket, settle_unix>(
    file_kind<UnixSocket, dump, restore>(inspect::Kind::unix_socket));

}  // namespace umbel::checkpoint
