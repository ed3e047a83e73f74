// pipe(2). Both ends are open files of their own on one inode: the pipe is an object that each end
// names, and an end is made by opening /proc/self/fd/N of the pipe anew with its access mode. What
// is in it is copied by tee(2), which leaves it there, into a pipe of our own; tee keeps buffer
// borders, so a pipe of packets (O_DIRECT) is read packet by packet.
#include "sys/pipe.h"

#include <fcntl.h>

#include "checkpoint/resource/file_kind.h"
#include "sys/descriptor.h"
#include "sys/file.h"

namespace umbel::checkpoint {

namespace {

struct Pipe {
  std::int32_t capacity = 0;
  std::vector<image::Bytes> packets;  // in a stream: one, with everything
  bool is_packets = false;
  std::uint32_t uid = 0, gid = 0, mode = 0;
};
void fields(auto& archive, Pipe& p) {
  archive("capacity", p.capacity);
  archive("packets", p.packets);
  archive("is_packets", p.is_packets);
  archive("uid", p.uid);
  archive("gid", p.gid);
  archive("mode", p.mode);
}

struct PipeEnd {
  std::string pipe;  // key of the object
};
void fields(auto& archive, PipeEnd& e) { archive("pipe", e.pipe); }

std::string key_of(const inspect::Descriptor& descriptor) {
  return "pipe:" + std::to_string(descriptor.status.st_ino);
}

// The content can be reached through either end: a second open gives a reading end of it.
Result<Value> dump_pipe(const FileDump& from) {
  Pipe state;
  state.capacity = TRY(sys::pipe_capacity(from.file));
  state.uid = from.descriptor.status.st_uid;
  state.gid = from.descriptor.status.st_gid;
  state.mode = from.descriptor.status.st_mode & 07777;
  const Fd reading = TRY(sys::reopen(from.file, O_RDONLY | O_NONBLOCK));
  const int waiting = TRY(sys::readable_bytes(reading));
  if (waiting == 0) return to_value(state);
  const sys::Packets content = TRY(sys::peek_pipe(reading, state.capacity));
  state.is_packets = content.is_packets;
  state.packets = content.packets;
  return to_value(state);
}

Result<PipeEnd> dump(const FileDump& from) {
  const std::string key = key_of(from.descriptor);
  TRY(from.dump.object(key, [&] { return dump_pipe(from); }));
  return PipeEnd{.pipe = key};
}

Result<sys::Pipe> make_pipe(const Pipe& state) {
  sys::Pipe made = TRY(sys::pipe(O_NONBLOCK | (state.is_packets ? O_DIRECT : 0)));
  if (state.capacity != 0) TRY(sys::set_pipe_capacity(made.write, state.capacity));
  for (const image::Bytes& packet : state.packets)
    TRY(during(
        "filling a pipe",
        sys::write_all(made.write, {reinterpret_cast<const char*>(packet.data()), packet.size()})));
  const struct stat now = TRY(sys::status(made.read));
  if (now.st_uid != state.uid || now.st_gid != state.gid)
    TRY(sys::change_owner(made.read, state.uid, state.gid));
  return made;
}

std::string writing(const std::string& key) { return key + ":write"; }

// Both ends as pipe(2) gave them.
Result<void> have_pipe(Restore& restore, const std::string& key) {
  if (restore.has_shared(key)) return {};
  const Value value = TRY(restore.object(key));
  const Pipe state = TRY(from_value<Pipe>(value));
  sys::Pipe made = TRY(make_pipe(state));
  TRY(restore.shared(key, [&]() -> Result<Fd> { return std::move(made.read); }));
  TRY(restore.shared(writing(key), [&]() -> Result<Fd> { return std::move(made.write); }));
  return {};
}

Result<Fd> restore(const FileRestore& to, const PipeEnd& end) {
  constexpr int large_file = 0100000;  // O_LARGEFILE, which glibc defines as 0
  TRY(have_pipe(to.restore, end.pipe));
  const int access = to.file.flags & O_ACCMODE;
  const FdRef pipe = TRY(to.restore.shared(access == O_WRONLY ? writing(end.pipe) : end.pipe,
                                           []() -> Result<Fd> { return fail("no such pipe"); }));
  // Only what open(2) made has the flag: an end that was opened anew, through /proc/PID/fd.
  // Without O_NONBLOCK such an open waits for the other end.
  if ((to.file.flags & large_file) != 0) return sys::reopen(pipe, access | O_NONBLOCK);
  return sys::duplicate(pipe);
}

}  // namespace

extern const FileKind pipe_end = file_kind<PipeEnd, dump, restore>(inspect::Kind::pipe);

}  // namespace umbel::checkpoint
