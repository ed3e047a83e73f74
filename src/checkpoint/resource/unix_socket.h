// What an image says about unix sockets.
#pragma once

#include "checkpoint/resource/file_kind.h"
#include "checkpoint/resource/socket_options.h"

namespace umbel::checkpoint {

// What a socket is bound to.
struct UnixName {
  image::Bytes address;   // struct sockaddr_un, as long as it is
  std::string directory;  // that a relative path starts at
  // Of the file, where there is one.
  bool has_file = false, file_is_gone = false;
  std::uint32_t mode = 0, uid = 0, gid = 0;

  bool exists() const { return address.size() > sizeof(std::uint16_t); }
  bool abstract() const { return exists() && address[sizeof(std::uint16_t)] == 0; }
  std::string path() const;  // as it was given to bind(2); empty if it is none
};
void fields(auto& archive, UnixName& n) {
  archive("address", n.address);
  archive("directory", n.directory);
  archive("has_file", n.has_file);
  archive("file_is_gone", n.file_is_gone);
  archive("mode", n.mode);
  archive("uid", n.uid);
  archive("gid", n.gid);
}

struct UnixPacket {
  image::Bytes data;
  std::vector<FileReference> files;
  image::Bytes sender;  // address
  bool has_ids = false;
  InnerPid pid;
  std::uint32_t uid = 0, gid = 0;
};
void fields(auto& archive, UnixPacket& p) {
  archive("data", p.data);
  archive("files", p.files);
  archive("sender", p.sender);
  archive("has_ids", p.has_ids);
  archive("pid", p.pid);
  archive("uid", p.uid);
  archive("gid", p.gid);
}

struct UnixSocket {
  std::uint64_t id = 0;
  std::int32_t type = 0;
  UnixName name;
  bool listens = false;
  std::int32_t backlog = 0;
  std::vector<std::uint64_t> pending;  // ids of clients that nobody has accepted yet
  bool connected = false;
  std::uint64_t peer = 0;    // 0: it is gone, or nobody has accepted the connection yet
  std::uint32_t unread = 0;  // bytes that it has sent and the peer has not read
  image::Bytes peer_address;
  std::int32_t shut = 0;
  std::uint32_t peer_uid = 0, peer_gid = 0;  // as SO_PEERCRED says
  std::vector<UnixPacket> queue;
  std::vector<SocketOption> options;
};
void fields(auto& archive, UnixSocket& s) {
  archive("id", s.id);
  archive("type", s.type);
  archive("name", s.name);
  archive("listens", s.listens);
  archive("backlog", s.backlog);
  archive("pending", s.pending);
  archive("connected", s.connected);
  archive("peer", s.peer);
  archive("unread", s.unread);
  archive("peer_address", s.peer_address);
  archive("shut", s.shut);
  archive("peer_uid", s.peer_uid);
  archive("peer_gid", s.peer_gid);
  archive("queue", s.queue);
  archive("options", s.options);
}

Result<UnixSocket> dump_unix(const FileDump& from);
Result<Fd> restore_unix(const FileRestore& to, const UnixSocket& state);
Result<void> settle_unix(Restore& restore, const UnixSocket& state, FdRef file);
// When every file is known: that peers are in the tree, and clients that wait.
Result<void> check_unix_peers(const Dump& dump);

}  // namespace umbel::checkpoint
