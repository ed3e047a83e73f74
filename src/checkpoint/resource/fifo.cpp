// A pipe with a name (fifo(7)). The name stays in its directory while the checkpoint lies there,
// what is in the pipe does not: it is an object, and is put back unless somebody outside the tree
// has kept the pipe, and with it the content, alive. Opening it for reading and writing waits for
// nobody.
#include <fcntl.h>

#include "checkpoint/resource/pipe_content.h"
#include "sys/descriptor.h"
#include "sys/file.h"
#include "sys/inode.h"

namespace umbel::checkpoint {

namespace {

constexpr std::string_view deleted_mark = " (deleted)";

struct NamedPipe {
  std::string path;
  std::uint32_t mode = 0, uid = 0, gid = 0;
  bool deleted = false;
  PipeContent content;
};
void fields(auto& archive, NamedPipe& n) {
  archive("path", n.path);
  archive("mode", n.mode);
  archive("uid", n.uid);
  archive("gid", n.gid);
  archive("deleted", n.deleted);
  archive("content", n.content);
}

struct Fifo {
  std::string pipe;  // key of the object
};
void fields(auto& archive, Fifo& f) { archive("pipe", f.pipe); }

Result<Value> dump_pipe(const FileDump& from) {
  const struct stat& status = from.descriptor.status;
  NamedPipe pipe{.path = from.descriptor.target,
                 .mode = status.st_mode & 07777,
                 .uid = status.st_uid,
                 .gid = status.st_gid};
  const Result<struct stat> there = sys::status_behind(cwd, pipe.path);
  if (!there || there->st_ino != status.st_ino || there->st_dev != status.st_dev) {
    pipe.deleted = true;
    if (pipe.path.ends_with(deleted_mark)) pipe.path.resize(pipe.path.size() - deleted_mark.size());
  }
  pipe.content = TRY(read_pipe(from.file));
  return to_value(pipe);
}

Result<Fifo> dump(const FileDump& from) {
  const struct stat& status = from.descriptor.status;
  const std::string key =
      "fifo:" + std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
  TRY(from.dump.object(key, [&] { return dump_pipe(from); }));
  return Fifo{.pipe = key};
}

// At its old path where that is free, so that links in /proc read as before.
Result<Fd> make_deleted(const NamedPipe& pipe) {
  constexpr int tries = 100;
  for (int i = 0; i < tries; ++i) {
    const std::string path = pipe.path + (i == 0 ? "" : ".ghost-" + std::to_string(i));
    const Result<void> made = sys::make_node(cwd, path, S_IFIFO | 0600, 0);
    if (!made && made.error().code == EEXIST) continue;
    TRY(during("making the deleted pipe " + pipe.path + " again", made));
    Result<Fd> file = sys::open(cwd, path, O_RDWR | O_NONBLOCK | O_NOFOLLOW);
    TRY(sys::remove_file(cwd, path));
    if (!file) return file;
    TRY(sys::change_owner(*file, pipe.uid, pipe.gid));
    TRY(sys::change_mode(*file, pipe.mode));
    return file;
  }
  return fail("there is no free name beside " + pipe.path);
}

Result<Fd> open_named(const NamedPipe& pipe) {
  Fd file = TRY(advise("make the named pipe again (mkfifo)",
                       sys::open(cwd, pipe.path, O_RDWR | O_NONBLOCK | O_NOFOLLOW)));
  const struct stat status = TRY(sys::status(file));
  if (!S_ISFIFO(status.st_mode))
    return fail(pipe.path + " is no named pipe any more", "make it again (mkfifo)");
  return file;
}

Result<Fd> make(const NamedPipe& pipe) {
  Fd file = pipe.deleted ? TRY(make_deleted(pipe)) : TRY(open_named(pipe));
  if (TRY(sys::readable_bytes(file)) > 0) return file;
  const Fd writing = TRY(sys::reopen(file, O_WRONLY | O_NONBLOCK));
  // open(2) refuses O_DIRECT for a pipe, fcntl(2) does not.
  if (pipe.content.is_packets) TRY(sys::set_status_flags(writing, O_NONBLOCK | O_DIRECT));
  TRY(fill_pipe(pipe.content, writing));
  return file;
}

Result<Fd> restore(const FileRestore& to, const Fifo& state) {
  const FdRef pipe = TRY(to.restore.shared(state.pipe, [&]() -> Result<Fd> {
    const Value value = TRY(to.restore.object(state.pipe));
    const NamedPipe found = TRY(from_value<NamedPipe>(value));
    return make(found);
  }));
  return sys::reopen(pipe, (to.file.flags & O_ACCMODE) | O_NONBLOCK);
}

}  // namespace

extern const FileKind fifo = file_kind<Fifo, dump, restore>(inspect::Kind::fifo);

}  // namespace umbel::checkpoint
