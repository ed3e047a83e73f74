// A regular file is found again by its path. It must be the same file as far as can be told: size
// and time of its last change. One that was deleted while it was open has no path any more; up to a
// limit its content is carried in the image (a ghost), as an object, since several open files and
// mappings may share it. One that has only lost the name it was opened by gets another one, which
// goes away when it is restored.
#include <fcntl.h>

#include "base/text.h"
#include "checkpoint/resource/file_kind.h"
#include "sys/file.h"
#include "sys/inode.h"
#include "sys/remote_memory.h"

namespace umbel::checkpoint {

namespace {

constexpr std::string_view deleted_mark = " (deleted)";

struct RegularFile {
  std::string path;
  std::uint64_t size = 0;
  std::int64_t seconds = 0, nanoseconds = 0;  // st_mtim
  std::uint32_t mode = 0;
  std::optional<std::string> ghost;  // key of the object with its content
  std::optional<std::string> link;   // a name that the dump gave it
};
void fields(auto& archive, RegularFile& f) {
  archive("path", f.path);
  archive("size", f.size);
  archive("seconds", f.seconds);
  archive("nanoseconds", f.nanoseconds);
  archive("mode", f.mode);
  archive("ghost", f.ghost);
  archive("link", f.link);
}

struct Ghost {
  std::string path;
  std::uint32_t mode = 0, uid = 0, gid = 0;
  std::uint64_t size = 0;
  image::Bytes content;
};
void fields(auto& archive, Ghost& g) {
  archive("path", g.path);
  archive("mode", g.mode);
  archive("uid", g.uid);
  archive("gid", g.gid);
  archive("size", g.size);
  archive("content", g.content);
}

std::string without_mark(const std::string& target) {
  std::string path = target;
  if (path.ends_with(deleted_mark)) path.resize(path.size() - deleted_mark.size());
  return path;
}

Result<Value> dump_ghost(const FileDump& from, const std::string& path) {
  const struct stat& status = from.descriptor.status;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > from.dump.options.ghost_limit)
    return fail_with(EFBIG,
                     path + ", which was deleted while it is open, has " + size_text(size) +
                         ": more than the limit of " + size_text(from.dump.options.ghost_limit),
                     "raise the limit for deleted files (--ghost-limit), or close the file");
  Ghost ghost{.path = path,
              .mode = status.st_mode & 07777,
              .uid = status.st_uid,
              .gid = status.st_gid,
              .size = size};
  // The open file may be for writing only; its inode can be opened once more.
  const Fd reading = TRY(sys::reopen(from.file, O_RDONLY));
  ghost.content.resize(size);
  TRY(sys::read_all_at(reading, 0, ghost.content));
  return to_value(ghost);
}

Result<RegularFile> dump(const FileDump& from) {
  const inspect::Descriptor& descriptor = from.descriptor;
  const struct stat& status = descriptor.status;
  RegularFile state{.path = descriptor.target,
                    .size = static_cast<std::uint64_t>(status.st_size),
                    .seconds = status.st_mtim.tv_sec,
                    .nanoseconds = status.st_mtim.tv_nsec,
                    .mode = status.st_mode & 07777};
  const Result<struct stat> there = sys::status_behind(cwd, state.path);
  if (there && there->st_ino == status.st_ino && there->st_dev == status.st_dev) return state;
  state.path = without_mark(descriptor.target);
  if (status.st_nlink != 0) {
    if (!from.dump.options.link_remap)
      return fail(state.path + " of " + from.process.named() +
                      " is no longer at that path, and still has another name",
                  "let the checkpoint give it one more name there (--link-remap)");
    state.link =
        TRY(during("a name for " + state.path, from.dump.link_beside(state.path, from.file)));
    return state;
  }
  state.ghost = "ghost:" + std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
  TRY(from.dump.object(*state.ghost, [&] { return dump_ghost(from, state.path); }));
  return state;
}

// At its old path when that is free, so that links in /proc read as before.
Result<Fd> make_ghost(const Ghost& ghost) {
  constexpr int tries = 100;
  for (int i = 0; i < tries; ++i) {
    const std::string path = ghost.path + (i == 0 ? "" : ".ghost-" + std::to_string(i));
    Result<Fd> file = sys::open(cwd, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (!file && file.error().code == EEXIST) continue;
    if (!file) return during("making the deleted file " + ghost.path + " again", std::move(file));
    TRY(sys::remove_file(cwd, path));
    TRY(sys::write_all_at(*file, 0, ghost.content));
    TRY(sys::change_owner(*file, ghost.uid, ghost.gid));
    TRY(sys::change_mode(*file, ghost.mode));
    return file;
  }
  return fail("there is no free name beside " + ghost.path);
}

Result<void> compare(const RegularFile& state, FdRef file) {
  const struct stat now = TRY(sys::status(file));
  constexpr std::string_view cure =
      "put back the file system as it was at the checkpoint, then restore";
  if (!S_ISREG(now.st_mode))
    return fail(state.path + " is no regular file any more", std::string(cure));
  if (static_cast<std::uint64_t>(now.st_size) != state.size)
    return fail(state.path + " has " + std::to_string(now.st_size) + " bytes, and had " +
                    std::to_string(state.size) + " at the checkpoint",
                std::string(cure));
  if (now.st_mtim.tv_sec != state.seconds || now.st_mtim.tv_nsec != state.nanoseconds)
    return fail(state.path + " was changed since the checkpoint", std::string(cure));
  return {};
}

Result<Fd> restore(const FileRestore& to, const RegularFile& state) {
  constexpr int once = O_CREAT | O_EXCL | O_TRUNC;
  if (!state.ghost) {
    const std::string& path = state.link ? *state.link : state.path;
    Fd file = TRY(sys::open(cwd, path, (to.file.flags & ~once) | O_NOFOLLOW));
    TRY(compare(state, file));
    if (state.link) to.restore.links.push_back(*state.link);
    return file;
  }
  const FdRef ghost = TRY(to.restore.shared(*state.ghost, [&]() -> Result<Fd> {
    const Value value = TRY(to.restore.object(*state.ghost));
    const Ghost found = TRY(from_value<Ghost>(value));
    return make_ghost(found);
  }));
  return sys::reopen(ghost, to.file.flags & ~(once | O_NOFOLLOW));
}

}  // namespace

extern const FileKind regular_file = file_kind<RegularFile, dump, restore>(inspect::Kind::regular);

}  // namespace umbel::checkpoint
