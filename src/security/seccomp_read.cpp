// Profiles from files. OCI's form is the struct itself. Docker's adds archMap (which ABIs go with
// the native one) and, at each rule, includes and excludes: a rule counts where all of its included
// and none of its excluded capabilities, machines and kernels are given. Podman's writes errnos by
// name besides, and old files of both have one name a rule.
#include <fcntl.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/record.h"
#include "base/text.h"
#include "security/seccomp.h"
#include "security/seccomp_machine.h"
#include "sys/file.h"
#include "sys/identity.h"

namespace umbel::security {

namespace {

constexpr std::size_t largest_file = std::size_t{4} << 20;

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

struct FileRule {
  SeccompRule rule;
  std::string name, errno_name;
  Condition includes, excludes;
};
void fields(auto& archive, FileRule& r) {
  fields(archive, r.rule);
  archive("name", r.name);
  archive("errno", r.errno_name);
  archive("includes", r.includes);
  archive("excludes", r.excludes);
}

struct File {
  Seccomp profile;
  std::string default_errno_name;
  std::vector<ArchMap> arch_map;
  std::vector<FileRule> rules;
};
void fields(auto& archive, File& f) {
  archive("defaultAction", f.profile.default_action);
  archive("defaultErrnoRet", f.profile.default_errno);
  archive("defaultErrno", f.default_errno_name);
  archive("architectures", f.profile.architectures);
  archive("flags", f.profile.flags);
  archive("listenerPath", f.profile.listener_path);
  archive("listenerMetadata", f.profile.listener_metadata);
  archive("archMap", f.arch_map);
  archive("syscalls", f.rules);
}

struct Kernel {
  std::int64_t major = 0, minor = 0;
  friend auto operator<=>(const Kernel&, const Kernel&) = default;
};

// "6.18.44-amd64", "4.8"
std::optional<Kernel> parse_kernel(std::string_view text) {
  const auto leading = [](std::string_view part) {
    return number(part.substr(0, std::min(part.find_first_not_of("0123456789"), part.size())));
  };
  const std::vector<std::string_view> parts = split(text, '.');
  if (parts.size() < 2) return std::nullopt;
  const std::optional<std::int64_t> major = leading(parts[0]);
  const std::optional<std::int64_t> minor = leading(parts[1]);
  if (!major || !minor) return std::nullopt;
  return Kernel{*major, *minor};
}

// A capability that nobody knows yet is one that the container has not.
bool has_capability(CapSet capabilities, const std::string& name) {
  const Result<CapSet> wanted = parse_capability(name);
  return wanted && (*wanted & ~capabilities) == 0;
}

class Resolver {
 public:
  Resolver(CapSet capabilities, Kernel kernel) : capabilities_(capabilities), kernel_(kernel) {}

  Result<bool> applies(const FileRule& rule) const {
    const Condition& in = rule.includes;
    const Condition& out = rule.excludes;
    const auto held = [&](const std::string& name) { return has_capability(capabilities_, name); };
    if (!in.least_kernel.empty() && !TRY(at_least(in.least_kernel))) return false;
    if (!out.least_kernel.empty() && TRY(at_least(out.least_kernel))) return false;
    return std::ranges::all_of(in.capabilities, held) &&
           std::ranges::none_of(out.capabilities, held) &&
           (in.machines.empty() || names_this(in.machines)) && !names_this(out.machines);
  }

 private:
  Result<bool> at_least(const std::string& version) const {
    const std::optional<Kernel> wanted = parse_kernel(version);
    if (!wanted) return fail("minKernel '" + version + "' is no version", "write it like 4.8");
    return kernel_ >= *wanted;
  }
  static bool names_this(const std::vector<std::string>& machines) {
    return std::ranges::find(machines, native_machine.docker) != machines.end();
  }

  CapSet capabilities_;
  Kernel kernel_;
};

// The number beside a name wins: Podman writes both.
Result<void> set_errno(std::optional<std::uint32_t>& number, const std::string& name) {
  if (name.empty() || number) return {};
  for (int code = 1; code < 4096; ++code) {
    const char* known = ::strerrorname_np(code);
    if (known == nullptr || name != known) continue;
    number = static_cast<std::uint32_t>(code);
    return {};
  }
  return fail("'" + name + "' is no errno", "see errno(3)");
}

Result<void> add_architectures(File& file) {
  std::vector<std::string>& all = file.profile.architectures;
  if (!file.arch_map.empty() && !all.empty())
    return fail("both architectures and archMap are given", "leave one of them out");
  for (const ArchMap& map : file.arch_map) {
    if (map.architecture != native_machine.name) continue;
    all.push_back(map.architecture);
    all.insert(all.end(), map.sub_architectures.begin(), map.sub_architectures.end());
  }
  return {};
}

Result<Seccomp> resolved(File file, const Resolver& resolver) {
  if (file.profile.default_action.empty())
    return fail("defaultAction is missing", "SCMP_ACT_ERRNO refuses what no rule allows");
  TRY(add_architectures(file));
  TRY(set_errno(file.profile.default_errno, file.default_errno_name));
  for (std::size_t i = 0; i < file.rules.size(); ++i) {
    FileRule& rule = file.rules[i];
    const std::string step = "syscalls[" + std::to_string(i) + "]";
    if (!TRY(during(step, resolver.applies(rule)))) continue;
    TRY(during(step, set_errno(rule.rule.errno_value, rule.errno_name)));
    if (!rule.name.empty() && !rule.rule.names.empty())
      return fail(step + ": both name and names are given", "leave one of them out");
    if (!rule.name.empty()) rule.rule.names.push_back(std::move(rule.name));
    file.profile.rules.push_back(std::move(rule.rule));
  }
  return std::move(file.profile);
}

Result<Seccomp> read(const std::string& path, CapSet capabilities) {
  const Fd opened = TRY(sys::open(cwd, path, O_RDONLY));
  const std::string text = TRY(sys::read_all(opened, largest_file));
  if (text.size() == largest_file) return fail("larger than 4 MiB: no profile");
  const Value value = TRY(parse_json(text));
  File file = TRY(from_value<File>(value));
  const sys::Names names = TRY(sys::names());
  const Resolver resolver(capabilities, parse_kernel(names.release).value_or(Kernel{}));
  return resolved(std::move(file), resolver);
}

}  // namespace

Result<Seccomp> read_seccomp(const std::string& path, CapSet capabilities) {
  return during("the seccomp profile " + path, read(path, capabilities));
}

}  // namespace umbel::security
