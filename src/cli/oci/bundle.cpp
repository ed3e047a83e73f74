#include "cli/oci/bundle.h"

#include "base/text.h"
#include "container/store.h"
#include "oci/config.h"
#include "sys/file.h"
#include "sys/identity.h"

namespace umbel::cli::oci {

namespace {

// Root of the host, and not only of a user namespace.
Result<bool> is_host_root() {
  if (sys::own_uid() != 0) return false;
  const std::string map = TRY(sys::read_file(cwd, "/proc/self/uid_map"));
  const auto parts = words(map);
  return parts.size() == 3 && parts[1] == "0" && parts[2] == "4294967295";
}

}  // namespace

Result<Bundle> read(const BundleOptions& options, const std::string& id) {
  if (options.no_pivot)
    return fail("--no-pivot: umbel always makes the container's root by pivot_root",
                "keep the bundle on a mounted file system rather than on the initramfs");
  TRY(container::check_name(id));
  Bundle bundle;
  container::Config& config = bundle.config;
  config =
      TRY(umbel::oci::read_bundle(options.path.empty() ? "." : options.path, &bundle.warnings));
  config.name = id;
  config.process.new_keyring = !options.same_keyring;
  if (config.cgroup.empty()) config.cgroup = "umbel-oci/";  // and its name
  // There nobody can make device nodes, and the kernel takes no rules about them.
  if (!TRY(is_host_root())) config.device_rules.clear();
  return bundle;
}

}  // namespace umbel::cli::oci
