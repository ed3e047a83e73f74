// One function for each part of the document. What the kernel can judge, it judges when the
// container is made; here is only what would otherwise have no effect, silently (a host name
// without a uts namespace), or an effect elsewhere (a parameter of the whole host).
#include "oci/config.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "ns/sysctl.h"
#include "oci/document.h"
#include "oci/refused.h"
#include "oci/resources.h"
#include "oci/spec.h"
#include "rootfs/plan.h"
#include "sys/file.h"
#include "sys/net_device.h"

namespace umbel::oci {

namespace {

using container::Config;
using ns::From;
using ns::Kind;

std::string element(std::string_view list, std::size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

std::string below(const std::string& dir, const std::string& path) {
  return path.starts_with('/') ? path : dir + "/" + path;
}

Result<void> check_version(const std::string& version) {
  const auto parts = split(version, '.');
  const auto major = parts.size() > 1 ? unsigned_number(parts[0]) : std::nullopt;
  if (major && *major == 1) return {};
  return fail("ociVersion: '" + version + "' is not a version 1.x.y of the specification");
}

// Unknown and unavailable ones are left out, and said.
security::CapSet capability_set(const std::vector<std::string>& names, Warnings& warnings) {
  security::CapSet set = 0;
  for (const std::string& name : names) {
    const Result<security::CapSet> known = security::parse_capability(name);
    if (known)
      set |= *known;
    else
      warnings.push_back("process.capabilities: " + known.error().message());
  }
  return set;
}

// The kernel's rules of which set must hold what another one does.
void trim(std::string_view name, security::CapSet& set, security::CapSet bound,
          Warnings& warnings) {
  if ((set & ~bound) != 0)
    warnings.push_back("process.capabilities." + std::string(name) +
                       ": the kernel refuses these without others: " +
                       join(security::capability_names(set & ~bound), " "));
  set &= bound;
}

security::Capabilities capabilities(const CapabilityNames& names, Warnings& warnings) {
  security::Capabilities sets{.bounding = capability_set(names.bounding, warnings),
                              .effective = capability_set(names.effective, warnings),
                              .inheritable = capability_set(names.inheritable, warnings),
                              .permitted = capability_set(names.permitted, warnings),
                              .ambient = capability_set(names.ambient, warnings)};
  const security::CapSet lost = security::restrict_to(security::own_bounding(), sets);
  if (lost != 0)
    warnings.push_back("process.capabilities: not available here: " +
                       join(security::capability_names(lost), " "));
  trim("effective", sets.effective, sets.permitted, warnings);
  trim("inheritable", sets.inheritable, sets.bounding, warnings);
  // Engines ask for ambient capabilities without making them inheritable, which the kernel takes
  // for none; as they do so always, a warning would only be noise.
  sets.ambient &= sets.permitted & sets.inheritable;
  return sets;
}

Result<void> check_rlimits(const std::vector<security::Rlimit>& limits) {
  for (std::size_t i = 0; i < limits.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (limits[i].type == limits[j].type)
        return fail(element("process.rlimits", i) + ".type: " + limits[i].type +
                    " is limited twice");
  return {};
}

Result<void> check_hooks(const container::Hooks& hooks) {
  const Value lists = to_value(hooks);
  for (const auto& [name, list] : *lists.as<Value::Object>())
    for (std::size_t i = 0; i < list.as<Value::Array>()->size(); ++i) {
      const std::string& path = *(*list.as<Value::Array>())[i].find("path")->as<std::string>();
      if (!path.starts_with('/'))
        return fail("hooks." + element(name, i) + ".path: must be an absolute path, not '" + path +
                    "'");
      const Value* timeout = (*list.as<Value::Array>())[i].find("timeout");
      const auto* seconds = timeout != nullptr ? timeout->as<std::int64_t>() : nullptr;
      if (seconds != nullptr && *seconds <= 0)
        return fail("hooks." + element(name, i) + ".timeout: must be greater than zero");
    }
  return {};
}

template <class Record>
Result<void> check_record(const std::string& field, const std::optional<Record>& record) {
  if (!record) return {};
  return during(field, security::check(*record));
}

Result<void> check_seccomp(const std::optional<security::Seccomp>& profile) {
  if (!profile) return {};
  const std::string& path = profile->listener_path;
  if (path.empty() && !profile->listener_metadata.empty())
    return fail("linux.seccomp.listenerMetadata: is for nobody without a listenerPath");
  if (!path.empty() && !path.starts_with('/'))
    return fail("linux.seccomp.listenerPath: must be an absolute path, not '" + path + "'");
  for (std::size_t i = 0; path.empty() && i < profile->rules.size(); ++i)
    if (profile->rules[i].action == "SCMP_ACT_NOTIFY")
      return fail(
          element("linux.seccomp.syscalls", i) + ".action: SCMP_ACT_NOTIFY with nobody to notify",
          "set linux.seccomp.listenerPath to the socket of a program that answers");
  return {};
}

Result<container::Process> process(const Process& from, Warnings& warnings) {
  if (from.args.empty()) return fail("process.args: needs at least the program to run");
  if (!from.cwd.starts_with('/'))
    return fail("process.cwd: must be an absolute path, not '" + from.cwd + "'");
  TRY(check_rlimits(from.rlimits));
  TRY(check_record("process.scheduler", from.scheduler));
  TRY(check_record("process.ioPriority", from.io_priority));
  for (const std::string* list : {&from.affinity.initial, &from.affinity.final})
    TRY(during("process.execCPUAffinity", security::parse_list(*list)));
  container::Process made{.args = from.args, .env = from.env, .cwd = from.cwd};
  made.user = {.uid = from.user.uid,
               .gid = from.user.gid,
               .groups = from.user.additional_gids,
               .umask = from.user.umask};
  made.terminal = from.terminal;
  made.no_new_privileges = from.no_new_privileges;
  made.rlimits = from.rlimits;
  made.oom_score = from.oom_score;
  made.apparmor = from.apparmor;
  made.selinux = from.selinux;
  made.scheduler = from.scheduler;
  made.io_priority = from.io_priority;
  made.affinity = from.affinity;
  if (from.capabilities) made.capabilities = capabilities(*from.capabilities, warnings);
  if (from.terminal && from.console_size)
    made.console_size = {.rows = static_cast<std::uint16_t>(from.console_size->height),
                         .columns = static_cast<std::uint16_t>(from.console_size->width)};
  return made;
}

Result<ns::Choices> choices(const std::vector<Namespace>& namespaces) {
  ns::Choices made;
  for (std::size_t i = 0; i < namespaces.size(); ++i) {
    const Namespace& wanted = namespaces[i];
    const std::string at = element("linux.namespaces", i);
    const auto* known = std::ranges::find(ns::kinds, wanted.type, &ns::KindInfo::oci);
    if (known == ns::kinds.end())
      return fail(at + ".type: '" + wanted.type + "' is no kind of namespace");
    ns::Source& source = made[known->kind];
    if (source.from != From::host)
      return fail(at + ".type: there is more than one entry for " + wanted.type);
    if (!wanted.path.empty() && !wanted.path.starts_with('/'))
      return fail(at + ".path: must be an absolute path, not '" + wanted.path + "'");
    source =
        wanted.path.empty() ? ns::Source{From::fresh, {}} : ns::Source{From::path, wanted.path};
  }
  return made;
}

// What is set on a namespace needs one that is not the host's.
Result<void> need(const ns::Choices& choices, Kind kind, const std::string& field) {
  if (choices[kind].from != From::host) return {};
  const std::string name(ns::info(kind).oci);
  return fail(field + ": would change the host's " + name + " namespace",
              "add {\"type\": \"" + name + "\"} to linux.namespaces");
}

Result<std::int64_t> nanoseconds(const TimeOffset& offset, const std::string& field) {
  std::int64_t sum = 0;
  if (__builtin_mul_overflow(offset.seconds, 1'000'000'000, &sum) ||
      __builtin_add_overflow(sum, offset.nanoseconds, &sum))
    return fail(field + ": is out of range");
  return sum;
}

Result<void> set_time(const std::map<std::string, TimeOffset>& offsets, const ns::Choices& choices,
                      ns::Settings& settings) {
  for (const auto& [clock, offset] : offsets) {
    const std::string field = "linux.timeOffsets." + clock;
    if (clock != "monotonic" && clock != "boottime")
      return fail(field + ": there is no such clock", "use monotonic and boottime");
    TRY(need(choices, Kind::time, field));
    (clock == "monotonic" ? settings.monotonic_offset : settings.boottime_offset) =
        TRY(nanoseconds(offset, field));
  }
  return {};
}

Result<ns::Settings> settings(const Spec& spec, const ns::Choices& choices) {
  ns::Settings made;
  const Linux& from = spec.linux_part;
  if (!spec.hostname.empty()) {
    TRY(need(choices, Kind::uts, "hostname"));
    made.hostname = spec.hostname;
  }
  if (!spec.domainname.empty()) {
    TRY(need(choices, Kind::uts, "domainname"));
    made.domainname = spec.domainname;
  }
  if (!from.uid_mappings.empty()) TRY(need(choices, Kind::user, "linux.uidMappings"));
  if (!from.gid_mappings.empty()) TRY(need(choices, Kind::user, "linux.gidMappings"));
  if (choices[Kind::user].from == From::fresh) {
    if (from.uid_mappings.empty()) return fail("linux.uidMappings: a user namespace needs some");
    if (from.gid_mappings.empty()) return fail("linux.gidMappings: a user namespace needs some");
  }
  made.uid_map = from.uid_mappings;
  made.gid_map = from.gid_mappings;
  TRY(set_time(from.time_offsets, choices, made));
  for (const auto& [name, value] : from.sysctl) {
    const std::string field = "linux.sysctl." + name;
    const std::optional<Kind> owner = ns::sysctl_owner(name);
    if (!owner) return fail(field + ": belongs to the whole host, not to a namespace");
    TRY(need(choices, *owner, field));
  }
  made.sysctls = from.sysctl;
  return made;
}

Result<std::map<std::string, std::string>> net_devices(
    const std::map<std::string, NetDevice>& wanted, const ns::Choices& choices) {
  std::map<std::string, std::string> made;
  for (const auto& [outside, device] : wanted) {
    const std::string field = "linux.netDevices." + outside;
    TRY(need(choices, Kind::net, field));
    const std::string& inside = device.name.empty() ? outside : device.name;
    if (!sys::is_device_name(outside))
      return fail(field + ": '" + outside + "' can't be a network device's name");
    if (!sys::is_device_name(inside))
      return fail(field + ".name: '" + inside + "' can't be a network device's name");
    for (const auto& [other, taken] : made)
      if (taken == inside)
        return fail(field + ".name: " + other + " is to have the name " + inside + " too");
    made[outside] = inside;
  }
  return made;
}

// On file systems that are made for the container; what is bound keeps the labels that it has.
Result<void> label_mounts(const std::string& label, std::vector<rootfs::Mount>& mounts) {
  static constexpr std::array labelled =
      std::to_array<std::string_view>({"tmpfs", "devpts", "ramfs", "mqueue"});
  if (label.empty()) return {};
  if (!sys::exists(cwd, "/sys/fs/selinux/enforce"))
    return fail("linux.mountLabel: this host has no SELinux", "leave it out");
  for (rootfs::Mount& mount : mounts)
    if (std::ranges::find(labelled, mount.type) != labelled.end())
      mount.options.push_back("context=\"" + label + "\"");
  return {};
}

Result<std::vector<rootfs::Mount>> mounts(const std::vector<rootfs::Mount>& from,
                                          const std::string& bundle) {
  std::vector<rootfs::Mount> made = from;
  for (std::size_t i = 0; i < made.size(); ++i) {
    rootfs::Mount& mount = made[i];
    if (mount.destination.empty()) return fail(element("mounts", i) + ".destination: is missing");
    mount.destination = below("", mount.destination);
    const Result<rootfs::Plan> planned = during(element("mounts", i), rootfs::plan(mount));
    if (!planned) return Failure(planned.error());
    if (planned->kind == rootfs::Plan::Kind::bind) mount.source = below(bundle, mount.source);
  }
  return made;
}

// What the document lists itself has its own mode and owner.
std::vector<rootfs::Device> devices(const std::vector<rootfs::Device>& listed) {
  std::vector<rootfs::Device> made;
  for (rootfs::Device& device : rootfs::default_devices())
    if (std::ranges::find(listed, device.path, &rootfs::Device::path) == listed.end())
      made.push_back(std::move(device));
  made.insert(made.end(), listed.begin(), listed.end());
  return made;
}

Result<rootfs::Spec> files(const Spec& spec, const std::string& bundle) {
  if (!spec.root || spec.root->path.empty()) return fail("root.path: is missing");
  const Linux& from = spec.linux_part;
  rootfs::Spec made;
  made.root.path = below(bundle, spec.root->path);
  made.root.read_only = spec.root->read_only;
  if (!from.rootfs_propagation.empty()) {
    TRY(during("linux.rootfsPropagation", rootfs::propagation(from.rootfs_propagation)));
    made.root.propagation = from.rootfs_propagation;
  }
  made.mounts = TRY(mounts(spec.mounts, bundle));
  TRY(label_mounts(from.mount_label, made.mounts));
  for (std::size_t i = 0; i < from.devices.size(); ++i)
    if (const std::string& type = from.devices[i].type;
        type.size() != 1 || !std::string_view("cubp").contains(type))
      return fail(element("linux.devices", i) + ".type: must be c, u, b or p, not '" + type + "'");
  made.devices = devices(from.devices);
  made.masked = from.masked_paths;
  made.read_only = from.readonly_paths;
  return made;
}

// Below the root of each hierarchy, and never above it.
std::string cgroup_path(const std::string& path) {
  return path.empty() ? path : rootfs::clean_path("/" + path).substr(1);
}

Result<Config> config(const Spec& spec, const std::string& bundle, Warnings& warnings) {
  TRY(check_version(spec.version));
  if (!spec.process) return fail("process: is missing");
  const Linux& from = spec.linux_part;
  Config made;
  made.init = false;  // the program is pid 1, as the specification has it
  made.namespaces = TRY(choices(from.namespaces));
  TRY(need(made.namespaces, Kind::mnt, "root.path"));
  made.settings = TRY(settings(spec, made.namespaces));
  made.files = TRY(files(spec, bundle));
  made.process = TRY(process(*spec.process, warnings));
  TRY(check_seccomp(from.seccomp));
  made.process.seccomp = from.seccomp;
  TRY(check_record("linux.personality", from.personality));
  made.process.personality = from.personality;
  TRY(check_record("linux.memoryPolicy", from.memory_policy));
  made.process.memory_policy = from.memory_policy;
  made.net_devices = TRY(net_devices(from.net_devices, made.namespaces));
  made.cgroup = cgroup_path(from.cgroups_path);
  const Resources resources = from.resources.value_or(Resources());
  made.limits = limits_of(resources);
  made.device_rules = device_rules_of(resources);
  made.labels = spec.annotations;
  TRY(check_hooks(spec.hooks));
  made.hooks = spec.hooks;
  made.bundle = bundle;
  return made;
}

}  // namespace

Result<Config> from_spec(const Value& document, const std::string& bundle, Warnings* warnings) {
  const Value spec = without_nulls(document);
  TRY(refuse_unsupported(spec));
  Warnings unheard;
  return config(TRY(from_value<Spec>(spec)), bundle, warnings != nullptr ? *warnings : unheard);
}

Result<container::Process> from_process(const Value& document, Warnings* warnings) {
  const Value value = without_nulls(document);
  TRY(refuse_unsupported_process(value));
  const Process read = TRY(from_value<Process>(value));
  Warnings unheard;
  return process(read, warnings != nullptr ? *warnings : unheard);
}

Result<Config> read_bundle(const std::string& dir, Warnings* warnings) {
  const Fd opened = TRY(advise("give a directory that holds config.json and a root file system",
                               during("the bundle", sys::open(cwd, dir, O_PATH | O_DIRECTORY))));
  const std::string bundle = TRY(sys::path_of(opened));
  const Value document = TRY(advise("a bundle needs a config.json: umbel-oci spec writes one",
                                    read_document(bundle + "/config.json")));
  return during(bundle + "/config.json", from_spec(document, bundle, warnings));
}

}  // namespace umbel::oci
