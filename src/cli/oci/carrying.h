// What checkpoint and restore have in common: the options about an image and about what a
// checkpoint may meet.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "cli/oci/options.h"

namespace umbel::cli::oci {

struct CarryValues {
  std::string image_path, work_path, cgroups_mode = "soft";
  std::string lsm_profile, lsm_mount_context;
  std::vector<std::string> empty_namespaces;
  bool tcp_established = false, external_sockets = false, shell_job = false, file_locks = false,
       link_remap = false, auto_dedup = false, lazy_pages = false;
};
std::vector<Option> carry_table(CarryValues& v);
// Refuses by name what is not there.
Result<void> check(const CarryValues& v);

// The directory of the image, as an absolute path; without --image-path "checkpoint" here.
Result<std::string> image_path(const CarryValues& v);
// Where log and statistics go: the work path, or the image's.
Result<Fd> work_directory(const CarryValues& v);
// Engines show that file, or point to it: criu's own log in runc.
void write_log(const CarryValues& v, const std::string& name, const std::string& text);

}  // namespace umbel::cli::oci
