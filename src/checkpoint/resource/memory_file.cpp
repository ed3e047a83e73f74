// memfd_create(2). The file is an object, since several open files and mappings may have it. Seals
// that forbid writing come after the content. F_SEAL_WRITE comes before mappings, which would count
// as writers; F_SEAL_FUTURE_WRITE leaves those alone that there are, so it comes after them, and
// with it the seal on the seals.
#include <fcntl.h>

#include "checkpoint/memory/copy.h"
#include "checkpoint/resource/file_kind.h"
#include "sys/file.h"
#include "sys/inode.h"
#include "sys/memory.h"
#include "sys/stream.h"

namespace umbel::checkpoint {

namespace {

constexpr std::string_view prefix = "/memfd:", deleted_mark = " (deleted)";
constexpr std::int32_t late_seals = 0x0001 /* F_SEAL_SEAL */ | 0x0010 /* F_SEAL_FUTURE_WRITE */;

struct MemoryContent {
  std::string name;
  std::uint64_t size = 0;
  std::uint32_t mode = 0, uid = 0, gid = 0;
  std::int32_t seals = 0;
  std::vector<image::PageRun> pages;
};
void fields(auto& archive, MemoryContent& m) {
  archive("name", m.name);
  archive("size", m.size);
  archive("mode", m.mode);
  archive("uid", m.uid);
  archive("gid", m.gid);
  archive("seals", m.seals);
  archive("pages", m.pages);
}

struct MemoryFile {
  std::string content;  // key of the object
};
void fields(auto& archive, MemoryFile& m) { archive("content", m.content); }

Result<Value> dump_content(const FileDump& from) {
  const struct stat& status = from.descriptor.status;
  constexpr int page = 4096;
  if (status.st_blksize != page)
    return fail_with(EOPNOTSUPP, "a memory file of huge pages can't be carried",
                     "make it without MFD_HUGETLB");
  std::string name = from.descriptor.target.substr(prefix.size());
  if (name.ends_with(deleted_mark)) name.resize(name.size() - deleted_mark.size());
  MemoryContent state{.name = std::move(name),
                      .size = static_cast<std::uint64_t>(status.st_size),
                      .mode = status.st_mode & 07777,
                      .uid = status.st_uid,
                      .gid = status.st_gid};
  const Fd reading = TRY(sys::reopen(from.file, O_RDONLY));
  state.seals = TRY(sys::seals(reading));
  state.pages = TRY(copy_file_pages(from.dump.writer, reading, state.size));
  return to_value(state);
}

Result<MemoryFile> dump(const FileDump& from) {
  const struct stat& status = from.descriptor.status;
  const std::string key =
      "memory-file:" + std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
  TRY(from.dump.object(key, [&] { return dump_content(from); }));
  return MemoryFile{.content = key};
}

Result<MemoryContent> content_of(const Restore& restore, const MemoryFile& state) {
  const Value value = TRY(restore.object(state.content));
  return from_value<MemoryContent>(value);
}

Result<Fd> make(const Restore& restore, const MemoryContent& content) {
  Fd file = TRY(sys::sealable_memory_file(content.name));
  // Pages are written whole, the last may be a part.
  TRY(fill_file_pages(restore.reader, content.pages, file));
  TRY(sys::set_size(file, content.size));
  TRY(sys::change_mode(file, content.mode));
  const struct stat now = TRY(sys::status(file));
  if (now.st_uid != content.uid || now.st_gid != content.gid)
    TRY(sys::change_owner(file, content.uid, content.gid));
  TRY(sys::add_seals(file, content.seals & ~late_seals));
  return file;
}

Result<FdRef> shared_file(Restore& restore, const MemoryFile& state) {
  return restore.shared(state.content, [&]() -> Result<Fd> {
    const MemoryContent content = TRY(content_of(restore, state));
    return make(restore, content);
  });
}

Result<Fd> restore(const FileRestore& to, const MemoryFile& state) {
  constexpr int once = O_CREAT | O_EXCL | O_TRUNC | O_NOFOLLOW;
  const FdRef file = TRY(shared_file(to.restore, state));
  return sys::reopen(file, to.file.flags & ~once);
}

Result<void> settle(Restore& restore, const MemoryFile& state, FdRef) {
  const MemoryContent content = TRY(content_of(restore, state));
  const FdRef file = TRY(shared_file(restore, state));
  const int missing = content.seals & ~TRY(sys::seals(file));
  return sys::add_seals(file, missing);
}

}  // namespace

extern const FileKind memory_file = with_settle<MemoryFile, settle>(
    file_kind<MemoryFile, dump, restore>(inspect::Kind::memory_file));

}  // namespace umbel::checkpoint
