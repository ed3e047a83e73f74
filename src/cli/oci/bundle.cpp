#include "cli/oci/bundle.h"

#include "cli/oci/commands.h"
#include "container/store.h"
#include "oci/config.h"
#include "sys/identity.h"

namespace umbel::cli::oci {

namespace {

// An ordinary user may map the own group, if groups can't be dropped inside: user_namespaces(7).
bool maps_own_group_alone(const ns::Settings& settings) {
  return sys::own_uid() != 0 && settings.gid_map.size() == 1 && settings.gid_map[0].count == 1 &&
         settings.gid_map[0].outside == sys::own_gid();
}

}  // namespace

Result<Bundle> read(const BundleOptions& options, const std::string& id) {
  TRY(container::check_name(id));
  Bundle bundle;
  container::Config& config = bundle.config;
  config =
      TRY(umbel::oci::read_bundle(options.path.empty() ? "." : options.path, &bundle.warnings));
  config.name = id;
  config.files.root.no_pivot = options.no_pivot;
  config.settings.deny_setgroups = maps_own_group_alone(config.settings);
  config.process.new_keyring = !options.same_keyring;
  if (config.cgroup.empty()) config.cgroup = "umbel-oci-";  // and its name
  // There nobody can make device nodes, and the kernel takes no rules about them.
  if (!is_host_root()) config.device_rules.clear();
  return bundle;
}

}  // namespace umbel::cli::oci
