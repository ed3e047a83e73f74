// Profiles from files. OCI's form is the struct itself; Docker's adds archMap (which architectures
// go with the native one) and, at each rule, includes and excludes: a rule counts where all of its
// included and none of its excluded capabilities, machines and kernels are given.
#include <algorithm>
#include <optional>

#include "base/record.h"
#include "base/text.h"
#include "security/seccomp.h"
#include "security/seccomp_machine.h"
#include "sys/file.h"
#include "sys/identity.h"

namespace umbel::security {

namespace {

bool has(const auto& list, const auto& element) {
  return std::ranges::find(list, element) != list.end();
}

struct ArchMap {
  std::string architecture;
  std::vector<std::string> sub_architectures;
};
void fields(auto& archive, ArchMap& m) {
  archive("architecture", m.architecture);
  archive("subArchitectures", m.sub_architectures);
}

struct Condition {
  std::vector<std::string> capabilities, machines;
  std::string least_kernel;
};
void fields(auto& archive, Condition& c) {
  archive("caps", c.capabilities);
  archive("arches", c.machines);
  archive("minKernel", c.least_kernel);
}

struct DockerRule {
  SeccompRule rule;
  std::string name;  // an older spelling of names
  Condition includes, excludes;
};
void fields(auto& archive, DockerRule& r) {
  fields(archive, r.rule);
  archive("name", r.name);
  archive("includes", r.includes);
  archive("excludes", r.excludes);
}

struct DockerProfile {
  Seccomp profile;
  std::vector<ArchMap> arch_map;
  std::vector<DockerRule> rules;
};
void fields(auto& archive, DockerProfile& p) {
  archive("defaultAction", p.profile.default_action);
  archive("defaultErrnoRet", p.profile.default_errno);
  archive("architectures", p.profile.architectures);
  archive("flags", p.profile.flags);
  archive("listenerPath", p.profile.listener_path);
  archive("listenerMetadata", p.profile.listener_metadata);
  archive("archMap", p.arch_map);
  archive("syscalls", p.rules);
}

// "4.8" <= "6.18.1"
bool kernel_is_at_least(std::string_view wanted) {
  const Result<sys::Names> names = sys::names();
  if (!names) return false;
  const auto number_at = [](std::string_view version, std::size_t which) -> std::int64_t {
    const auto parts = split(version, '.');
    if (which >= parts.size()) return 0;
    const std::size_t digits =
        std::min(parts[which].find_first_not_of("0123456789"), parts[which].size());
    return number(parts[which].substr(0, digits)).value_or(0);
  };
  for (std::size_t i = 0; i < 2; ++i) {
    const auto have = number_at(names->release, i);
    const auto want = number_at(wanted, i);
    if (have != want) return have > want;
  }
  return true;
}

Result<bool> holds(const Condition& condition, CapSet capabilities) {
  for (const std::string& name : condition.capabilities)
    if ((TRY(parse_capability(name)) & ~capabilities) != 0) return false;
  if (!condition.machines.empty() && !has(condition.machines, std::string(native_machine.docker)))
    return false;
  return condition.least_kernel.empty() || kernel_is_at_least(condition.least_kernel);
}

Result<bool> excluded(const Condition& condition, CapSet capabilities) {
  for (const std::string& name : condition.capabilities)
    if ((TRY(parse_capability(name)) & ~capabilities) == 0) return true;
  if (has(condition.machines, std::string(native_machine.docker))) return true;
  return !condition.least_kernel.empty() && kernel_is_at_least(condition.least_kernel);
}

Result<Seccomp> resolved(DockerProfile file, CapSet capabilities) {
  Seccomp made = std::move(file.profile);
  for (const ArchMap& map : file.arch_map) {
    if (map.architecture != native_machine.name) continue;
    made.architectures.push_back(map.architecture);
    made.architectures.insert(made.architectures.end(), map.sub_architectures.begin(),
                              map.sub_architectures.end());
  }
  for (DockerRule& rule : file.rules) {
    if (!TRY(holds(rule.includes, capabilities)) || TRY(excluded(rule.excludes, capabilities)))
      continue;
    if (!rule.name.empty()) rule.rule.names.push_back(rule.name);
    made.rules.push_back(std::move(rule.rule));
  }
  return made;
}

}  // namespace

Result<Seccomp> read_seccomp(const std::string& path, CapSet capabilities) {
  const std::string step = "the seccomp profile " + path;
  const std::string text = TRY(during(step, sys::read_file(cwd, path)));
  const Value value = TRY(during(step, parse_json(text)));
  DockerProfile file = TRY(during(step, from_value<DockerProfile>(value)));
  if (file.profile.default_action.empty())
    return fail(step + " has no defaultAction", "see docker's default.json for the form");
  return during(step, resolved(std::move(file), capabilities));
}

}  // namespace umbel::security
