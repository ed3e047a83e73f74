// /dev/null, zero, full, random, urandom: no state but the name. Opened by path and compared by
// device number, so that whatever else lies at the path now is not taken for it.
#include <fcntl.h>

#include "checkpoint/resource/file_kind.h"
#include "sys/file.h"

namespace umbel::checkpoint {

namespace {

struct MemoryDevice {
  std::string path;
  std::uint64_t device = 0;
};
void fields(auto& archive, MemoryDevice& d) {
  archive("path", d.path);
  archive("device", d.device);
}

Result<MemoryDevice> dump(const FileDump& from) {
  return MemoryDevice{.path = from.descriptor.target, .device = from.descriptor.status.st_rdev};
}

Result<Fd> restore(const FileRestore& to, const MemoryDevice& state) {
  Fd file = TRY(sys::open(cwd, state.path, to.file.flags & ~(O_CREAT | O_EXCL | O_TRUNC)));
  const struct stat found = TRY(sys::status(file));
  if (found.st_rdev != state.device)
    return fail(state.path + " is another device than it was at the checkpoint");
  return file;
}

}  // namespace

extern const FileKind memory_device =
    file_kind<MemoryDevice, dump, restore>(inspect::Kind::memory_device);

}  // namespace umbel::checkpoint
