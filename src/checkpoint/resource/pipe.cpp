// pipe(2). Both ends are open files of their own on one inode: the pipe is an object that each end
// names, and an end is made by opening /proc/self/fd/N of the pipe anew with its access mode.
#include "sys/pipe.h"

#include <fcntl.h>

#include "checkpoint/resource/pipe_content.h"
#include "sys/descriptor.h"
#include "sys/file.h"

namespace umbel::checkpoint {

namespace {

struct Pipe {
  PipeContent content;
  std::uint32_t uid = 0, gid = 0;
};
void fields(auto& archive, Pipe& p) {
  archive("content", p.content);
  archive("uid", p.uid);
  archive("gid", p.gid);
}

struct PipeEnd {
  std::string pipe;  // key of the object
};
void fields(auto& archive, PipeEnd& e) { archive("pipe", e.pipe); }

std::string key_of(const inspect::Descriptor& descriptor) {
  return "pipe:" + std::to_string(descriptor.status.st_ino);
}

Result<Value> dump_pipe(const FileDump& from) {
  Pipe state{.uid = from.descriptor.status.st_uid, .gid = from.descriptor.status.st_gid};
  state.content = TRY(read_pipe(from.file));
  return to_value(state);
}

Result<PipeEnd> dump(const FileDump& from) {
  const std::string key = key_of(from.descriptor);
  TRY(from.dump.object(key, [&] { return dump_pipe(from); }));
  return PipeEnd{.pipe = key};
}

Result<sys::Pipe> make_pipe(const Pipe& state) {
  sys::Pipe made = TRY(sys::pipe(O_NONBLOCK | (state.content.is_packets ? O_DIRECT : 0)));
  TRY(fill_pipe(state.content, made.write));
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
