#include "library/config.h"

#include <unistd.h>

#include <array>

#include "cgroup/cgroup.h"
#include "ns/keeper.h"
#include "ns/user.h"
#include "sys/file.h"

namespace umbel::library {

namespace {

constexpr std::uint64_t shared_memory = 64 << 20;
constexpr std::uint64_t cpu_period = 100'000;  // microseconds

struct Choice {
  ns::Kind kind;
  Source Namespaces::* source;
};
constexpr std::array choices = std::to_array<Choice>({
    {ns::Kind::user, &Namespaces::user},
    {ns::Kind::mnt, &Namespaces::mnt},
    {ns::Kind::pid, &Namespaces::pid},
    {ns::Kind::net, &Namespaces::net},
    {ns::Kind::ipc, &Namespaces::ipc},
    {ns::Kind::uts, &Namespaces::uts},
    {ns::Kind::cgroup, &Namespaces::cgroup},
    {ns::Kind::time, &Namespaces::time},
});
static_assert(choices.size() == ns::kind_count);

std::vector<std::string> own_environment() {
  std::vector<std::string> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    all.emplace_back(*entry);
  return all;
}

void map_ids(ns::Settings& settings, const ns::user::Available& available) {
  settings.uid_map = available.uid_map;
  settings.gid_map = available.gid_map;
  settings.deny_setgroups = available.deny_setgroups;
}

// An administrator's new user namespace has the same ids, but no right over the host.
Result<void> set_ids(container::Config& config) {
  if (config.namespaces[ns::Kind::user].from != ns::From::fresh) return {};
  if (!ns::may_mount()) {
    map_ids(config.settings, TRY(ns::user::available_maps()));
    return {};
  }
  TRY(ns::user::capture(config.settings));
  for (auto* map : {&config.settings.uid_map, &config.settings.gid_map})
    for (ns::IdRange& range : *map) range.outside = range.inside;
  config.settings.deny_setgroups = false;
  return {};
}

void set_files(container::Config& config, const Options& options) {
  if (config.namespaces[ns::Kind::mnt].from != ns::From::fresh) return;
  config.files.root.path = options.root;
  config.files.mounts = rootfs::default_mounts(shared_memory);
  config.files.devices = rootfs::default_devices();
  config.files.masked = rootfs::default_masked();
  config.files.read_only = rootfs::default_read_only();
}

Result<void> set_rights(container::Process& process, Rights rights) {
  if (rights == Rights::caller) {
    process.capabilities = TRY(security::own_capabilities());
    process.no_new_privileges = false;
    return {};
  }
  const security::CapSet set = security::default_capabilities() & security::own_bounding();
  process.capabilities = {.bounding = set, .effective = set, .permitted = set};
  process.default_filter = true;
  return {};
}

void set_limits(cgroup::Limits& limits, const Options& options) {
  if (options.memory != 0) limits.memory = static_cast<std::int64_t>(options.memory);
  if (options.processes != 0) limits.pids = static_cast<std::int64_t>(options.processes);
  if (options.cpus <= 0) return;
  limits.cpu_period = cpu_period;
  limits.cpu_quota = static_cast<std::int64_t>(options.cpus * static_cast<double>(cpu_period));
}

// As what it was called as, so that a program of the caller's sees the ids that it knows.
void set_user(container::Config& config) {
  if (config.namespaces[ns::Kind::user].from != ns::From::host) return;
  config.process.user.uid = ::geteuid();
  config.process.user.gid = ::getegid();
}

}  // namespace

ns::Source source_of(const Source& source) {
  switch (source.from) {
    case Source::From::host:
      return {};
    case Source::From::fresh:
      return {ns::From::fresh, {}};
    case Source::From::with:
      return {ns::From::with, source.what};
    case Source::From::named:
      return {ns::From::named, source.what};
    case Source::From::path:
      return {ns::From::path, source.what};
  }
  return {};
}

ns::Kind kind_of(Kind kind) { return static_cast<ns::Kind>(kind); }
Kind kind_of(ns::Kind kind) { return static_cast<Kind>(kind); }
static_assert(static_cast<int>(Kind::user) == static_cast<int>(ns::Kind::user));
static_assert(static_cast<int>(Kind::mnt) == static_cast<int>(ns::Kind::mnt));
static_assert(static_cast<int>(Kind::pid) == static_cast<int>(ns::Kind::pid));
static_assert(static_cast<int>(Kind::net) == static_cast<int>(ns::Kind::net));
static_assert(static_cast<int>(Kind::ipc) == static_cast<int>(ns::Kind::ipc));
static_assert(static_cast<int>(Kind::uts) == static_cast<int>(ns::Kind::uts));
static_assert(static_cast<int>(Kind::cgroup) == static_cast<int>(ns::Kind::cgroup));
static_assert(static_cast<int>(Kind::time) == static_cast<int>(ns::Kind::time));

void apply(const Options& options, container::Process& process) {
  if (!options.directory.empty()) {
    process.cwd = options.directory;
    process.cwd_is_wish = false;
  }
  if (!options.environment) return;
  for (const std::string& entry : *options.environment) {
    const std::string name = entry.substr(0, entry.find('=') + 1);
    std::erase_if(process.env, [&](const std::string& known) { return known.starts_with(name); });
    process.env.push_back(entry);
  }
}

Result<container::Config> config_of(const Namespaces& namespaces,
                                    const std::vector<std::string>& argv, const Options& options) {
  if (argv.empty()) return fail("there is no command to run");
  container::Config config{.name = options.name};
  for (const Choice& choice : choices)
    config.namespaces[choice.kind] = source_of(namespaces.*choice.source);
  const ns::Choices& chosen = config.namespaces;
  if (!options.root.empty() && chosen[ns::Kind::mnt].from != ns::From::fresh)
    return fail("a root directory needs .mnt = fresh");
  if (!options.hostname.empty() && chosen[ns::Kind::uts].from != ns::From::fresh)
    return fail("a host name needs .uts = fresh");
  config.named_host = chosen[ns::Kind::uts].from == ns::From::fresh;
  if (!options.hostname.empty()) config.settings.hostname = options.hostname;
  TRY(set_ids(config));
  set_files(config, options);
  set_limits(config.limits, options);
  container::Process& process = config.process;
  process.args = argv;
  process.interactive = true;  // the caller says what standard input is
  const Result<std::string> here = sys::working_directory();
  process.cwd = here && options.root.empty() ? *here : "/";
  process.cwd_is_wish = true;
  if (!options.environment) process.env = own_environment();
  apply(options, process);
  set_user(config);
  TRY(set_rights(process, options.rights));
  config.cgroup = "umbel-";
  if (const Result<cgroup::Host> groups = cgroup::host();
      !ns::may_mount() && (!groups || !groups->writable))
    config.cgroup.clear();
  if (config.cgroup.empty() && (options.memory != 0 || options.cpus > 0 || options.processes != 0))
    return fail("limits need a cgroup, and you may not make one here", "umbel info says how");
  return config;
}

}  // namespace umbel::library
