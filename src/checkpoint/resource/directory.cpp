// An open directory, or a working directory: its path, compared by what lies there. The position of
// readdir is a file position, put back as such.
#include <fcntl.h>

#include "checkpoint/resource/file_kind.h"
#include "sys/file.h"

namespace umbel::checkpoint {

namespace {

struct Directory {
  std::string path;
  std::uint32_t mode = 0;
};
void fields(auto& archive, Directory& d) {
  archive("path", d.path);
  archive("mode", d.mode);
}

Result<Directory> dump(const FileDump& from) {
  const inspect::Descriptor& descriptor = from.descriptor;
  const Result<struct stat> there = sys::status_behind(cwd, descriptor.target);
  if (!there || there->st_ino != descriptor.status.st_ino ||
      there->st_dev != descriptor.status.st_dev)
    return fail("the directory " + descriptor.target + " is no longer at that path",
                "leave or close the directory that was removed");
  return Directory{.path = descriptor.target, .mode = descriptor.status.st_mode & 07777};
}

Result<Fd> restore(const FileRestore& to, const Directory& state) {
  const int flags = (to.file.flags & (O_ACCMODE | O_PATH | O_NOATIME)) | O_DIRECTORY;
  return advise("make the directory before the restore", sys::open(cwd, state.path, flags));
}

}  // namespace

extern const FileKind directory = file_kind<Directory, dump, restore>(inspect::Kind::directory);

}  // namespace umbel::checkpoint
