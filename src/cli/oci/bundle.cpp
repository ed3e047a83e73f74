#include "cli/oci/bundle.h"

#include "cli/oci/commands.h"
#include "container/store.h"
#include "oci/config.h"

namespace umbel::cli::oci {

Result<Bundle> read(const BundleOptions& options, const std::string& id) {
  TRY(container::check_name(id));
  Bundle bundle;
  container::Config& config = bundle.config;
  config =
      TRY(umbel::oci::read_bundle(options.path.empty() ? "." : options.path, &bundle.warnings));
  config.name = id;
  config.files.root.no_pivot = options.no_pivot;
  config.process.new_keyring = !options.same_keyring;
  if (config.cgroup.empty()) config.cgroup = "umbel-oci-";  // and its name
  // There nobody can make device nodes, and the kernel takes no rules about them.
  if (!is_host_root()) config.device_rules.clear();
  return bundle;
}

}  // namespace umbel::cli::oci
