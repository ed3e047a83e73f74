// What a container has written into file systems of its own: its overlay over the host's root, and
// file systems in memory.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/record.h"
#include "rootfs/spec.h"

namespace umbel::carry {

struct SavedFile {
  std::string path;
  bool deleted = false;  // of the host's
  std::uint32_t mode = 0, uid = 0, gid = 0;
  std::uint64_t device = 0;                   // of a device node
  std::int64_t seconds = 0, nanoseconds = 0;  // st_mtim
  std::string target;                         // of a symbolic link
  std::string same_as;  // the path of another name of it that comes before; empty: none
  std::map<std::string, Value::Bytes> attributes;
  Value::Bytes content;
};
void fields(auto& archive, SavedFile& f) {
  archive("path", f.path);
  archive("deleted", f.deleted);
  archive("mode", f.mode);
  archive("uid", f.uid);
  archive("gid", f.gid);
  archive("device", f.device);
  archive("seconds", f.seconds);
  archive("nanoseconds", f.nanoseconds);
  archive("target", f.target);
  archive("same_as", f.same_as);
  archive("attributes", f.attributes);
  archive("content", f.content);
}

// In the container's mount namespace. `host`, `own`: the mount namespace of the host, and of the
// container. Directories come before what is in them.
Result<std::vector<SavedFile>> capture_files(FdRef host, FdRef own, const rootfs::Spec& spec);
// There again, while nobody is in it but its init.
Result<void> apply_files(const std::vector<SavedFile>& files);

}  // namespace umbel::carry
