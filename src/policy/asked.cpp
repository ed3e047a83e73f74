#include "policy/asked.h"

#include <algorithm>

#include "security/capabilities.h"

namespace umbel::policy {

namespace {

using container::Config;
using ns::From;
using Refusals = std::vector<Refusal>;

std::string option_of(ns::Kind kind) { return "--" + std::string(ns::info(kind).option); }

// Whether a source is what the policy accepts. Whoever joins by a path or a name could meet
// anybody: only a policy that names it accepts it.
bool fits(const Policy& policy, ns::Kind kind, const ns::Source& source) {
  switch (source.from) {
    case From::host:
      return policy.accepts(kind, {Need::host, {}});
    case From::fresh:
      return policy.accepts(kind, {Need::own, {}}) || policy.accepts(kind, {Need::group, {}});
    case From::with:
      return policy.accepts(kind, {Need::group, {}}) ||
             policy.accepts(kind, {Need::named, ns::source_text(source)});
    default:
      return policy.accepts(kind, {Need::named, ns::source_text(source)});
  }
}

void check_namespaces(const Policy& policy, const Config& config, Refusals& found) {
  for (const ns::KindInfo& kind : ns::kinds) {
    const ns::Source& source = config.namespaces[kind.kind];
    if (fits(policy, kind.kind, source)) continue;
    const std::string better = choice(policy, kind.kind, {}).value_or("new");
    found.push_back({option_of(kind.kind) + " is " + ns::source_text(source) + ", and " +
                         policy.name + " wants it to be " + needs_text(policy.of(kind.kind)),
                     option_of(kind.kind) + " " + better + ", or another policy"});
  }
}

void check_limits(const Policy& policy, const Config& config, Refusals& found) {
  for (const auto& [name, value] : policy.limits)
    if (!has_limit(config.limits, name))
      found.push_back({policy.name + " wants a limit for " + name + ", and there is none",
                       "add --" + name + (value.empty() ? "" : " " + value)});
}

bool is_bind(const rootfs::Mount& mount) {
  return mount.type == "bind" || std::ranges::any_of(mount.options, [](const std::string& word) {
           return word == "bind" || word == "rbind";
         });
}

void check_files(const Policy& policy, const Config& config, Refusals& found) {
  const rootfs::Root& root = config.files.root;
  if (policy.is_closed(Reach::mounts)) {
    for (const rootfs::Mount& mount : config.files.mounts)
      if (is_bind(mount))
        found.push_back({mount.source + " of the host would be at " + mount.destination + ", and " +
                             policy.name + " lets it have no files of the host",
                         "copy what it needs into it (umbel cp), or leave --volume out"});
    if (!root.overlay_dir.empty())
      found.push_back({"its changes would be kept in " + root.overlay_dir + " of the host, and " +
                           policy.name + " lets it have no files of the host",
                       "leave --overlay out"});
  }
  const bool hosts_files =
      config.namespaces[ns::Kind::mnt].from != From::fresh || root.path.empty();
  for (const std::string& path : policy.hidden)
    if (hosts_files && std::ranges::find(config.files.masked, path) == config.files.masked.end())
      found.push_back({path + " of the host would be seen, and " + policy.name + " hides it",
                       "--mnt new, without --privileged"});
}

bool is_usual(const rootfs::Device& device) {
  const auto usual = rootfs::default_devices();
  return std::ranges::any_of(usual, [&](const rootfs::Device& one) {
    return one.major == device.major && one.minor == device.minor;
  });
}

void check_rights(const Policy& policy, const Config& config, Refusals& found) {
  if (policy.is_closed(Reach::devices))
    for (const rootfs::Device& device : config.files.devices)
      if (!is_usual(device))
        found.push_back({"it would have the device " + device.path + ", and " + policy.name +
                             " lets it have none",
                         "leave --device and --privileged out"});
  if (!policy.usual_rights) return;
  const container::Process& process = config.process;
  const security::CapSet more = process.capabilities.effective & ~security::default_capabilities();
  if (more != 0)
    found.push_back({"it would have " + security::capability_names(more).front() + ", and " +
                         policy.name + " gives no capability beyond the usual ones",
                     "leave --cap-add, --nest and --privileged out"});
  if (!process.default_filter && !process.seccomp)
    found.push_back({"it would have no system-call filter, and " + policy.name + " wants one",
                     "leave --seccomp off and --privileged out"});
}

}  // namespace

std::optional<std::string> choice(const Policy& policy, ns::Kind kind, const std::string& partner) {
  const std::vector<Accepted>& list = policy.of(kind);
  if (list.empty()) return std::nullopt;
  const bool group = policy.accepts(kind, {Need::group, {}});
  // Where a group can share and its members do so already, what is shared by rule is shared too.
  if (group && !policy.accepts(kind, {Need::own, {}}) && !partner.empty()) return "with:" + partner;
  switch (list.front().need) {
    case Need::own:
    case Need::group:
      return "new";
    case Need::host:
      return "host";
    case Need::named:
      return list.front().source;
    case Need::any:
      return std::nullopt;
  }
  return std::nullopt;
}

Refusals contradictions(const Policy& policy, const Config& config) {
  Refusals found;
  check_namespaces(policy, config, found);
  check_limits(policy, config, found);
  check_files(policy, config, found);
  check_rights(policy, config, found);
  return found;
}

std::optional<Refusal> against_joining(const Policy& owners, const std::string& owner,
                                       ns::Kind kind, const Policy* policy) {
  if (owners.accepts(kind, {Need::any, {}})) return std::nullopt;
  // The host's belongs to everybody.
  const bool only_host = std::ranges::all_of(
      owners.of(kind), [](const Accepted& one) { return one.need == Need::host; });
  if (only_host) return std::nullopt;
  const std::string what = option_of(kind) + " with:" + owner + " would break what " + owner +
                           " promised: by " + owners.name + " its " +
                           std::string(ns::info(kind).option) + " is " +
                           needs_text(owners.of(kind));
  if (!owners.accepts(kind, {Need::group, {}}))
    return Refusal{what, option_of(kind) + " new; or --force, which is recorded"};
  if (policy != nullptr && policy->accepts(kind, {Need::group, {}}) &&
      !policy->accepts(kind, {Need::any, {}}))
    return std::nullopt;
  return Refusal{what,
                 "be of its group: --policy " + owners.name + "; or --force, which is recorded"};
}

std::optional<Refusal> against_exec(const Policy& policy, const std::string& name,
                                    const Further& what) {
  if (policy.usual_rights && what.privileged)
    return Refusal{"--privileged would break what " + name + " promised: " + policy.name +
                       " gives no capability beyond the usual ones",
                   "leave --privileged out; or add --force, which is recorded"};
  if (policy.is_closed(Reach::processes))
    return Refusal{"a further program would break what " + name + " promised: by " + policy.name +
                       " nothing in it is started from outside, since its parent and its input "
                       "and output would stay behind",
                   "add --force, which is recorded, and end it before a checkpoint"};
  return std::nullopt;
}

bool has_limit(const cgroup::Limits& limits, std::string_view name) {
  const auto set = [](const std::optional<std::int64_t>& limit) { return limit && *limit >= 0; };
  if (name == "memory") return set(limits.memory);
  if (name == "cpus") return set(limits.cpu_quota);
  if (name == "cpuset-cpus") return !limits.cpus.empty();
  if (name == "pids-limit") return set(limits.pids);
  if (name == "io-weight") return limits.io_weight.has_value();
  return false;
}

}  // namespace umbel::policy
