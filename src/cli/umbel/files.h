// The part of a config that is about files: root, volumes, memory file systems, devices.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cgroup/limits.h"
#include "rootfs/spec.h"

namespace umbel::cli {

struct FileOptions {
  std::optional<std::string> rootfs, overlay, overlay_size, shm_size;
  std::vector<std::string> volumes, tmpfs, devices;
  std::string directory;  // what relative paths begin at
  bool read_only = false, privileged = false, nest = false;
  bool host_ipc = false;  // then /dev/shm is the host's too
};
struct Files {
  rootfs::Spec spec;
  std::vector<cgroup::DeviceRule> device_rules;
};
Result<Files> make_files(const FileOptions& options);

// A path of the host as the kernel would follow it from `directory`.
std::string absolute(std::string_view path, std::string_view directory);
// A path inside a container without "." and "..", which a person may write: no symbolic link is
// known before it runs.
std::string normal(std::string_view path);

}  // namespace umbel::cli
