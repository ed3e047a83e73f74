// What umbel can do, for engines to ask. Each list comes from the table that does the thing.
#include "base/record.h"
#include "cgroup/cgroup.h"
#include "cli/oci/commands.h"
#include "container/hooks.h"
#include "ns/kind.h"
#include "rootfs/plan.h"
#include "security/capabilities.h"
#include "security/sched.h"
#include "security/seccomp.h"

namespace umbel::cli::oci {

namespace {

struct NoValues {};
std::vector<Option> no_table(NoValues&) { return {}; }

Value names(const auto& list) {
  Value made{Value::Data(Value::Array())};
  for (const auto& name : list) made.append(std::string_view(name));
  return made;
}

Value hooks() {
  const Value all = to_value(container::Hooks());
  Value made;
  for (const auto& [name, list] : *all.as<Value::Object>()) made.append(name);
  return made;
}

Value namespaces() {
  Value made;
  for (const ns::KindInfo& kind : ns::kinds) made.append(kind.oci);
  return made;
}

Value seccomp() {
  const security::SeccompWords words = security::seccomp_words();
  Value made;
  made["enabled"] = true;
  made["actions"] = names(words.actions);
  made["operators"] = names(words.operators);
  made["archs"] = names(words.architectures);
  made["knownFlags"] = names(words.flags);
  made["supportedFlags"] = names(words.flags);
  return made;
}

Value linux_part() {
  Value made;
  made["namespaces"] = namespaces();
  made["capabilities"] = names(security::capability_names(security::all_capabilities()));
  Value& group = made["cgroup"];
  group["v1"] = true;
  group["v2"] = true;
  group["systemd"] = false;
  group["systemdUser"] = false;
  group["rdma"] = true;
  made["seccomp"] = seccomp();
  for (const char* labels : {"apparmor", "selinux"}) made[labels]["enabled"] = true;
  made["mountExtensions"]["idmap"]["enabled"] = true;
  made["netDevices"]["enabled"] = true;
  const security::MemoryPolicyWords policy = security::memory_policy_words();
  made["memoryPolicy"]["modes"] = names(policy.modes);
  made["memoryPolicy"]["flags"] = names(policy.flags);
  made["intelRdt"]["enabled"] = false;
  return made;
}

Result<int> features(const Global&, const NoValues&, Words) {
  Value made;
  made["ociVersionMin"] = "1.0.0";
  made["ociVersionMax"] = container::specification;
  made["hooks"] = hooks();
  made["mountOptions"] = names(rootfs::option_words());
  made["linux"] = linux_part();
  made["annotations"]["umbel.version"] = UMBEL_VERSION;
  TRY(print(json_text(made, 2)));
  return 0;
}

}  // namespace

const Command features_command{"features", "", "show what this runtime can do, as JSON",
                               with_options<NoValues, no_table, features>};

}  // namespace umbel::cli::oci
