// The options are runc's: runc-checkpoint(8), runc-restore(8). What they ask of cgroups is so
// anyway: a restored container gets those that its configuration asks for.
#include "cli/oci/carrying.h"

#include <fcntl.h>

#include <algorithm>
#include <array>

#include "sys/file.h"

namespace umbel::cli::oci {

namespace {

Failure missing(const std::string& option, const std::string& cure) {
  return fail(option + " is not there yet", cure);
}

}  // namespace

std::vector<Option> carry_table(CarryValues& v) {
  return {
      {"image-path", 0, "DIR", "where the image is (checkpoint, here)", &v.image_path},
      {"work-path", 0, "DIR", "where log and statistics go (the image's)", &v.work_path},
      {"tcp-established", 0, "", "carry TCP connections", &v.tcp_established},
      {"ext-unix-sk", 0, "", "unix sockets may have their peer outside", &v.external_sockets},
      {"shell-job", 0, "", "accepted: terminals are carried", &v.shell_job},
      {"file-locks", 0, "", "carry file locks", &v.file_locks},
      {"link-remap", 0, "", "a file that lost its name gets another beside it", &v.link_remap},
      {"manage-cgroups-mode", 0, "MODE", "soft, full, strict or ignore; all are the same",
       &v.cgroups_mode},
      {"empty-ns", 0, "network", "the network is made by the engine anyway", &v.empty_namespaces},
      {"auto-dedup", 0, "", "not there yet", &v.auto_dedup},
      {"lazy-pages", 0, "", "not there yet", &v.lazy_pages},
      {"lsm-profile", 0, "PROFILE", "not there yet", &v.lsm_profile},
      {"lsm-mount-context", 0, "CONTEXT", "not there yet", &v.lsm_mount_context},
  };
}

Result<void> check(const CarryValues& v) {
  static constexpr std::array modes{"soft", "full", "strict", "ignore"};
  if (std::ranges::find(modes, v.cgroups_mode) == modes.end())
    return fail("--manage-cgroups-mode: must be soft, full, strict or ignore, not '" +
                v.cgroups_mode + "'");
  for (const std::string& kind : v.empty_namespaces)
    if (kind != "network" && kind != "net")
      return fail("--empty-ns: must be network, not '" + kind + "'");
  if (v.auto_dedup) return missing("--auto-dedup", "leave it out: it only saves space");
  if (v.lazy_pages) return missing("--lazy-pages", "leave it out: all memory is restored at once");
  if (!v.lsm_profile.empty())
    return missing("--lsm-profile",
                   "name the profile in config.json: process.apparmorProfile or "
                   "process.selinuxLabel");
  if (!v.lsm_mount_context.empty())
    return missing("--lsm-mount-context", "set linux.mountLabel in config.json");
  return {};
}

Result<std::string> image_path(const CarryValues& v) {
  const std::string path = v.image_path.empty() ? "checkpoint" : v.image_path;
  if (path.starts_with('/')) return path;
  return TRY(sys::working_directory()) + "/" + path;
}

Result<Fd> work_directory(const CarryValues& v) {
  const std::string path = v.work_path.empty() ? TRY(image_path(v)) : v.work_path;
  TRY(during("--work-path", sys::make_directories(path, 0700)));
  return during("--work-path", sys::open(cwd, path, O_RDONLY | O_DIRECTORY));
}

void write_log(const CarryValues& v, const std::string& name, const std::string& text) {
  const Result<Fd> dir = work_directory(v);
  if (dir) (void)sys::replace_file(*dir, name, text + "\n", 0600);
}

}  // namespace umbel::cli::oci
