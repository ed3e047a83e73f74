// All unix sockets of a tree are made together, when the first is asked for: those that listen,
// then those that others find by name, then the connected ones. Two ends without a name are a
// socketpair; otherwise one is a client of a listener with the other's name, the tree's own or one
// that lives for that moment. Queues are filled by the peers when all files are open, since
// descriptors may be in flight, and when all processes exist, since messages may name their pids;
// only then are halves shut down, buffers small, and peers closed that were gone.
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>

#include "checkpoint/resource/unix_socket.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/inode.h"

namespace umbel::checkpoint {

namespace {

std::string key_of(std::uint64_t id) { return "unix:" + std::to_string(id); }
// The other end of a socket whose peer was gone.
std::string gone_key(std::uint64_t id) { return "unix-gone:" + std::to_string(id); }

std::string whole_path(const UnixName& name) {
  const std::string path = name.path();
  return name.directory.empty() ? path : name.directory + "/" + path;
}

// For an address that may be relative.
Result<void> at(const UnixName& name, const std::function<Result<void>()>& work) {
  return name.directory.empty() ? work() : sys::in_directory(name.directory, work);
}

// The file of a socket that has ended stays; it is in nobody's way if nobody answers there.
Result<void> clear_place(const UnixName& name, int type) {
  const std::string path = whole_path(name);
  const Result<struct stat> there = sys::status_at(cwd, path);
  if (!there && there.error().code == ENOENT) return {};
  if (!there) return Failure(there.error());
  const std::string cure = "end the program that uses " + path + " now, or move the file away";
  if (!S_ISSOCK(there->st_mode)) return fail("there is another file at " + path, cure);
  const Fd probe = TRY(sys::make_socket(AF_UNIX, type | SOCK_NONBLOCK));
  const Result<void> answer = at(name, [&] { return sys::connect(probe, name.address); });
  if (answer || answer.error().code != ECONNREFUSED)
    return fail_with(EADDRINUSE, "another program has its socket at " + path, cure);
  return sys::remove_file(cwd, path);
}

Result<void> bind_to(Restore& restore, FdRef socket, const UnixName& name, int type) {
  if (!name.exists()) return {};
  if (!name.has_file) return sys::bind(socket, name.address);
  TRY(clear_place(name, type));
  const std::string path = whole_path(name);
  TRY(during("binding a socket to " + path,
             at(name, [&] { return sys::bind(socket, name.address); })));
  if (name.file_is_gone) {
    restore.remove_later(path);
    constexpr mode_t everybody = 0777;  // clients are made with their own ids
    return sys::change_mode(cwd, path, everybody);
  }
  TRY(sys::change_owner_at(cwd, path, name.uid, name.gid));
  return sys::change_mode(cwd, path, name.mode);
}

class Builder {
 public:
  explicit Builder(Restore& restore) : restore_(restore) {}

  Result<void> read() {
    const std::string kind(inspect::info(inspect::Kind::unix_socket).name);
    for (const image::File& file : restore_.tree.files) {
      if (file.kind != kind) continue;
      UnixSocket state = TRY(from_value<UnixSocket>(file.state));
      all_.emplace(state.id, std::move(state));
    }
    for (const auto& [id, state] : all_)
      for (const std::uint64_t client : state.pending) waits_.insert(client);
    return {};
  }
  Result<void> build() {
    for (const auto& [id, state] : all_)
      if (state.listens) TRY(make_listener(state));
    for (const auto& [id, state] : all_)
      if (!is_made(id) && !waits_.contains(id) && stands_alone(state)) TRY(make_alone(state));
    for (const auto& [id, state] : all_)
      if (!is_made(id) && !waits_.contains(id)) TRY(make_connected(state));
    for (const auto& [id, state] : all_)
      for (const std::uint64_t client : state.pending) TRY(make_waiting(state, client));
    temporary_.clear();
    return {};
  }
  Result<void> finish() {
    for (const auto& [id, state] : all_)
      for (const UnixPacket& packet : state.queue)
        TRY(during("filling the queue of a unix socket", fill(state, packet)));
    senders_.clear();
    for (const auto& [id, state] : all_)
      if (connects_by_name(state)) TRY(connect_by_name(state));
    for (const auto& [id, state] : all_) TRY(shut(state));
    for (const auto& [id, state] : all_) {
      const FdRef socket = TRY(made(id));
      TRY(restore_options(socket, state.options));
      TRY(restore_buffers(socket, state.options));
    }
    return {};
  }

 private:
  bool is_made(std::uint64_t id) const { return restore_.has_shared(key_of(id)); }
  Result<FdRef> kept(const std::string& key) {
    return restore_.shared(key, []() -> Result<Fd> { return fail("a unix socket is missing"); });
  }
  Result<FdRef> made(std::uint64_t id) { return kept(key_of(id)); }
  Result<FdRef> keep(const std::string& key, Fd fd) {
    return restore_.shared(key, [&]() -> Result<Fd> { return std::move(fd); });
  }
  const UnixSocket* find(std::uint64_t id) const {
    const auto found = all_.find(id);
    return found == all_.end() ? nullptr : &found->second;
  }

  // A pair made by socketpair(2), perhaps given a name later.
  bool is_pair_of_datagrams(const UnixSocket& one, const UnixSocket& other) const {
    return other.peer == one.id && !(one.name.exists() && other.name.exists());
  }
  bool connects_by_name(const UnixSocket& state) const {
    if (state.type != SOCK_DGRAM || !state.connected || state.peer == 0) return false;
    const UnixSocket* peer = find(state.peer);
    return peer == nullptr || !is_pair_of_datagrams(state, *peer);
  }
  bool stands_alone(const UnixSocket& state) const {
    return !state.connected || connects_by_name(state);
  }

  Result<void> make_listener(const UnixSocket& state) {
    Fd socket = TRY(sys::make_socket(AF_UNIX, state.type));
    TRY(bind_to(restore_, socket, state.name, state.type));
    TRY(sys::as_ids(state.peer_uid, state.peer_gid,
                    [&] { return sys::listen(socket, state.backlog); }));
    TRY(keep(key_of(state.id), std::move(socket)));
    return {};
  }
  Result<void> make_alone(const UnixSocket& state) {
    Fd socket = TRY(sys::make_socket(AF_UNIX, state.type));
    TRY(bind_to(restore_, socket, state.name, state.type));
    TRY(keep(key_of(state.id), std::move(socket)));
    return {};
  }

  Result<void> make_connected(const UnixSocket& state) {
    UnixSocket gone{.type = state.type, .peer_uid = state.peer_uid, .peer_gid = state.peer_gid};
    const UnixSocket* peer = &gone;
    if (state.peer != 0) {
      peer = find(state.peer);
      if (peer == nullptr) return fail("the peer of a unix socket is not in the image");
    }
    const std::string other = peer == &gone ? gone_key(state.id) : key_of(peer->id);
    const bool named = state.name.exists() || peer->name.exists();
    if (!named || state.type == SOCK_DGRAM) return make_pair(state, *peer, other);
    const bool serves = is_server(state, *peer);
    return serves ? make_served(*peer, other, state, key_of(state.id))
                  : make_served(state, key_of(state.id), *peer, other);
  }
  Result<void> make_pair(const UnixSocket& one, const UnixSocket& other,
                         const std::string& other_key) {
    sys::SocketPair pair;
    TRY(sys::as_ids(one.peer_uid, one.peer_gid, [&]() -> Result<void> {
      pair = TRY(sys::unix_pair(one.type));
      return {};
    }));
    TRY(bind_to(restore_, pair.one, one.name, one.type));
    TRY(bind_to(restore_, pair.other, other.name, one.type));
    TRY(keep(key_of(one.id), std::move(pair.one)));
    TRY(keep(other_key, std::move(pair.other)));
    return {};
  }

  const UnixSocket* listener_of(const UnixName& name) const {
    for (const auto& [id, state] : all_)
      if (state.listens && state.name.address == name.address) return &state;
    return nullptr;
  }
  // What a listener gives birth to has its name; a client may have one of its own.
  bool is_server(const UnixSocket& state, const UnixSocket& peer) const {
    if (!state.name.exists()) return false;
    if (!peer.name.exists()) return true;
    return listener_of(state.name) != nullptr || listener_of(peer.name) == nullptr;
  }
  Result<FdRef> have_listener(const UnixSocket& client, const UnixSocket& server) {
    if (const UnixSocket* known = listener_of(server.name)) return made(known->id);
    const std::string name(server.name.address.begin(), server.name.address.end());
    if (const auto found = temporary_.find(name); found != temporary_.end())
      return FdRef(found->second);
    Fd socket = TRY(sys::make_socket(AF_UNIX, server.type));
    TRY(bind_to(restore_, socket, server.name, server.type));
    TRY(sys::as_ids(client.peer_uid, client.peer_gid, [&] { return sys::listen(socket, 1); }));
    return FdRef(temporary_.emplace(name, std::move(socket)).first->second);
  }
  Result<void> make_served(const UnixSocket& client, const std::string& client_key,
                           const UnixSocket& server, const std::string& server_key) {
    const FdRef listener = TRY(have_listener(client, server));
    Fd socket = TRY(sys::make_socket(AF_UNIX, client.type));
    TRY(bind_to(restore_, socket, client.name, client.type));
    TRY(connect_as(server.peer_uid, server.peer_gid, socket, server.name));
    Fd accepted = TRY(sys::accept_connection(listener));
    // Somebody else may have been faster.
    if (TRY(sys::peer_ids(accepted)).pid != sys::own_pid().value())
      return fail_with(
          EBUSY,
          "a stranger has connected to " + whole_path(server.name) + " while it was being restored",
          "restore it again");
    TRY(keep(client_key, std::move(socket)));
    TRY(keep(server_key, std::move(accepted)));
    return {};
  }
  static Result<void> connect_as(std::uint32_t uid, std::uint32_t gid, FdRef socket,
                                 const UnixName& name) {
    return sys::as_ids(
        uid, gid, [&] { return at(name, [&] { return sys::connect(socket, name.address); }); });
  }
  Result<void> make_waiting(const UnixSocket& listener, std::uint64_t client) {
    const UnixSocket* state = find(client);
    if (state == nullptr) return fail("a client that waits is not in the image");
    Fd socket = TRY(sys::make_socket(AF_UNIX, state->type));
    TRY(bind_to(restore_, socket, state->name, state->type));
    // What it is towards the one that will accept it was not to be seen: as whoever made the
    // listener, most likely.
    TRY(connect_as(listener.peer_uid, listener.peer_gid, socket, listener.name));
    TRY(keep(key_of(client), std::move(socket)));
    return {};
  }

  // A socket that sends under that name, if need be one that lives for the moment.
  Result<FdRef> sender(const UnixSocket& to, const UnixPacket& packet) {
    if (to.connected && !connects_by_name(to))
      return to.peer != 0 ? made(to.peer) : kept(gone_key(to.id));
    for (const auto& [id, state] : all_)
      if (!packet.sender.empty() && state.name.address == packet.sender && state.type == SOCK_DGRAM)
        return made(id);
    const std::string name(packet.sender.begin(), packet.sender.end());
    if (const auto found = senders_.find(name); found != senders_.end())
      return FdRef(found->second);
    Fd socket = TRY(sys::make_socket(AF_UNIX, SOCK_DGRAM));
    const UnixName wanted{.address = packet.sender};
    // Whose name is taken by somebody else now has sent without one.
    if (wanted.abstract()) (void)sys::bind(socket, packet.sender);
    return FdRef(senders_.emplace(name, std::move(socket)).first->second);
  }
  Result<void> fill(const UnixSocket& to, const UnixPacket& packet) {
    constexpr int enough = 1 << 26;
    const FdRef from = TRY(sender(to, packet));
    sys::widen_buffers(from, enough);
    std::vector<FdRef> files;
    for (const FileReference& reference : packet.files) {
      const std::uint32_t index = TRY(restore_.index_of(reference));
      const FdRef file = TRY(restore_.file(index));
      files.push_back(file);
    }
    sys::Sending sending{.data = packet.data, .files = files};
    if (packet.has_ids)
      sending.ids = sys::Ids{.pid = packet.pid ? packet.pid.value() : sys::own_pid().value(),
                             .uid = packet.uid,
                             .gid = packet.gid};
    const bool by_name = !to.connected || connects_by_name(to);
    if (by_name) sending.to = &to.name.address;
    return at(by_name ? to.name : UnixName{}, [&] { return sys::send_packet(from, sending); });
  }

  Result<void> connect_by_name(const UnixSocket& state) {
    const FdRef socket = TRY(made(state.id));
    const UnixSocket* peer = find(state.peer);
    const UnixName name = peer != nullptr ? peer->name : UnixName{.address = state.peer_address};
    return advise("start the program that it is connected to before the restore",
                  during("connecting a socket to " + whole_path(name),
                         at(name, [&] { return sys::connect(socket, name.address); })));
  }
  Result<void> shut(const UnixSocket& state) {
    constexpr int receiving = 1, sending = 2;
    if (!state.connected || state.peer == 0) return {};
    const FdRef socket = TRY(made(state.id));
    if ((state.shut & receiving) != 0) TRY(sys::shut_down(socket, SHUT_RD));
    if ((state.shut & sending) != 0) TRY(sys::shut_down(socket, SHUT_WR));
    return {};
  }

  Restore& restore_;
  std::map<std::uint64_t, UnixSocket> all_;
  std::set<std::uint64_t> waits_;
  std::map<std::string, Fd> temporary_, senders_;  // listeners, by their address; senders
};

}  // namespace

Result<Fd> restore_unix(const FileRestore& to, const UnixSocket& state) {
  if (to.restore.first_time("make unix sockets")) {
    Builder builder(to.restore);
    TRY(builder.read());
    TRY(builder.build());
  }
  const FdRef socket = TRY(to.restore.shared(
      key_of(state.id), []() -> Result<Fd> { return fail("a unix socket is missing"); }));
  return sys::duplicate(socket);
}

Result<void> settle_unix(Restore& restore, const UnixSocket&, FdRef) {
  if (!restore.first_time("settle unix sockets")) return {};
  Builder builder(restore);
  TRY(builder.read());
  return builder.finish();
}

}  // namespace umbel::checkpoint
