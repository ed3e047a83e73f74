// The defaults of a careful person; every option that changes them says so in the help. What the
// options contradict is refused here, naming both; what the kernel would refuse is left to
// ns::plan.
#include "cli/umbel/configure.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "cli/umbel/environment.h"
#include "cli/umbel/files.h"
#include "console/terminal.h"
#include "container/lifecycle.h"
#include "oci/config.h"
#include "sys/file.h"

namespace umbel::cli {

namespace {

using container::Config;
using ns::From;
using ns::Kind;

std::string option_of(Kind kind) { return "--" + std::string(ns::info(kind).option); }

// Kinds that are the host's by default; all others are new.
bool is_host_by_default(Kind kind, const Caller& caller) {
  return kind == Kind::time || (kind == Kind::user && caller.administrator);
}

class Builder {
 public:
  Builder(const RunOptions& options, const Caller& caller) : o_(options), caller_(caller) {}

  Result<Configured> build() {
    if (o_.bundle) {
      TRY(read_bundle());
      return std::move(made_);
    }
    if (o_.command.empty())
      return fail("needs a COMMAND to run", "umbel run -it bash, for example");
    TRY(choose_namespaces());
    TRY(refuse_contradictions());
    TRY(map_ids());
    TRY(settings());
    TRY(files());
    TRY(command());
    TRY(rights());
    TRY(limits());
    TRY(describe());
    return std::move(made_);
  }

 private:
  ns::Source& source(Kind kind) { return config().namespaces[kind]; }
  bool is_new(Kind kind) const { return made_.config.namespaces[kind].from == From::fresh; }
  bool given(Kind kind) const { return o_.kinds.at(ns::index(kind)).has_value(); }
  Config& config() { return made_.config; }
  // The files that it sees are the host's own, or the host's under an overlay.
  bool sees_host_files() const {
    return is_new(Kind::mnt) ? !o_.rootfs : made_.config.namespaces[Kind::mnt].from == From::host;
  }

  Result<void> choose_namespaces() {
    for (const ns::KindInfo& kind : ns::kinds) {
      source(kind.kind).from = is_host_by_default(kind.kind, caller_) ? From::host : From::fresh;
      if (const Text& text = o_.kinds.at(ns::index(kind.kind)))
        source(kind.kind) = TRY(ns::parse_source(kind, *text));
    }
    if (o_.time_offset && !given(Kind::time)) source(Kind::time).from = From::fresh;
    follow_files();
    return {};
  }

  // /proc of a joined mount namespace shows the pid namespace that it was mounted for.
  void follow_files() {
    const ns::Source& files = source(Kind::mnt);
    if (files.from == From::with && !given(Kind::pid)) source(Kind::pid) = files;
    if (files.from == From::with && source(Kind::pid) != files)
      made_.notes.push_back("/proc is that of " + files.what +
                            ", whose mounts it shares; its own pids differ from what it shows");
    // Those that umbel makes are mounted for the pid namespace of who made them.
    if (files.from == From::named && !given(Kind::pid)) source(Kind::pid).from = From::host;
    if (files.from == From::host && is_new(Kind::pid))
      made_.notes.emplace_back(
          "/proc is the host's, whose mounts it has; its own pids differ from what it shows");
    // The kernel lets an ordinary user join only what a user namespace of its own owns.
    for (const ns::KindInfo& kind : ns::kinds)
      if (const ns::Source& joined = source(kind.kind);
          !caller_.administrator && !given(Kind::user)) {
        if (joined.from == From::with) source(Kind::user) = joined;
        if (joined.from == From::named)
          source(Kind::user) = {From::named, std::string(kind.proc) + "/" + joined.what};
      }
  }

  Result<void> refuse_contradictions() {
    struct Need {
      std::string_view option;
      bool given;
      Kind kind;
    };
    const std::array needs = std::to_array<Need>({
        {"--hostname", o_.hostname.has_value(), Kind::uts},
        {"--domainname", o_.domainname.has_value(), Kind::uts},
        {"--time-offset", o_.time_offset.has_value(), Kind::time},
        {"--uid-map", !o_.uid_map.empty(), Kind::user},
        {"--gid-map", !o_.gid_map.empty(), Kind::user},
        {"--rootfs", o_.rootfs.has_value(), Kind::mnt},
        {"--overlay", o_.overlay.has_value(), Kind::mnt},
        {"--overlay-size", o_.overlay_size.has_value(), Kind::mnt},
        {"--volume", !o_.volumes.empty(), Kind::mnt},
        {"--tmpfs", !o_.tmpfs.empty(), Kind::mnt},
        {"--device", !o_.devices.empty(), Kind::mnt},
        {"--shm-size", o_.shm_size.has_value(), Kind::mnt},
        {"--read-only", o_.read_only, Kind::mnt},
    });
    for (const Need& need : needs)
      if (need.given && !is_new(need.kind))
        return fail(
            std::string(need.option) + " needs a new " + std::string(ns::info(need.kind).proc) +
                " namespace, and " + option_of(need.kind) + " is " +
                ns::source_text(source(need.kind)),
            "add " + option_of(need.kind) + " new, or leave " + std::string(need.option) + " out");
    for (const auto& [option, was_given] :
         {std::pair{"--overlay", o_.overlay.has_value()},
          std::pair{"--overlay-size", o_.overlay_size.has_value()}})
      if (was_given && o_.rootfs)
        return fail(std::string(option) + " is about changes to the host's root, and --rootfs " +
                        *o_.rootfs + " replaces it",
                    "leave one of them out");
    if (o_.overlay && o_.overlay_size)
      return fail(
          "--overlay-size limits changes that are kept in memory, and --overlay keeps them in " +
              *o_.overlay,
          "leave one of them out");
    return {};
  }

  Result<void> map_ids() {
    if (!is_new(Kind::user)) return {};
    ns::Settings& set = config().settings;
    for (const std::string& text : o_.uid_map)
      set.uid_map.push_back(TRY(during("--uid-map", ns::user::parse_range(text))));
    for (const std::string& text : o_.gid_map)
      set.gid_map.push_back(TRY(during("--gid-map", ns::user::parse_range(text))));
    if (set.uid_map.empty()) set.uid_map = set.gid_map;
    if (set.gid_map.empty()) set.gid_map = set.uid_map;
    if (set.uid_map.empty()) {
      set_default_ids(caller_, set);
      return {};
    }
    set.deny_setgroups =
        !caller_.administrator && set.gid_map.size() == 1 && set.gid_map.front().count == 1;
    return {};
  }

  // What the bundle decides, an option can't.
  Result<void> refuse_beside_bundle() {
    struct Decided {
      std::string_view option;
      bool given;
    };
    const std::array decided = std::to_array<Decided>({
        {"--uid-map", !o_.uid_map.empty()},
        {"--gid-map", !o_.gid_map.empty()},
        {"--time-offset", o_.time_offset.has_value()},
        {"--hostname", o_.hostname.has_value()},
        {"--domainname", o_.domainname.has_value()},
        {"--rootfs", o_.rootfs.has_value()},
        {"--overlay", o_.overlay.has_value()},
        {"--overlay-size", o_.overlay_size.has_value()},
        {"--shm-size", o_.shm_size.has_value()},
        {"--volume", !o_.volumes.empty()},
        {"--tmpfs", !o_.tmpfs.empty()},
        {"--device", !o_.devices.empty()},
        {"--read-only", o_.read_only},
        {"--ulimit", !o_.ulimits.empty()},
        {"--cap-add", !o_.cap_add.empty()},
        {"--cap-drop", !o_.cap_drop.empty()},
        {"--seccomp", o_.seccomp.has_value()},
        {"--privileged", o_.privileged},
        {"--nest", o_.nest},
        {any_limit(o_.limits), !any_limit(o_.limits).empty()},
    });
    std::string clash;
    for (const ns::KindInfo& kind : ns::kinds)
      if (given(kind.kind)) clash = option_of(kind.kind);
    for (const Decided& one : decided)
      if (one.given) clash = one.option;
    if (clash.empty()) return {};
    return fail("--bundle " + *o_.bundle + " decides what " + clash + " would",
                "leave " + clash + " out, or change the bundle's config.json");
  }

  Result<void> read_bundle() {
    TRY(refuse_beside_bundle());
    config() = TRY(during("--bundle",
                          oci::read_bundle(absolute(*o_.bundle, caller_.directory), &made_.notes)));
    container::Process& process = config().process;
    if (!o_.command.empty()) process.args = o_.command;
    if (process.args.empty())
      return fail("the bundle names no command", "add one: umbel run --bundle DIR COMMAND");
    process.terminal = o_.terminal;
    process.interactive = o_.interactive;
    if (o_.terminal) process.console_size = caller_.window;
    if (o_.user) process.user_name = *o_.user;
    if (o_.workdir) process.cwd = *o_.workdir;
    Variables variables(caller_.environment);
    for (std::string& entry : process.env) variables.set(std::move(entry));
    process.env = TRY(with_options(std::move(variables)));
    config().init = !o_.no_init;
    TRY(set_stop_signal());
    if (config().cgroup.empty() || o_.cgroup_parent) TRY(place_cgroup());
    return describe();
  }

  Result<void> settings() {
    ns::Settings& set = config().settings;
    set.hostname = o_.hostname;
    config().named_host = is_new(Kind::uts);
    set.domainname = o_.domainname;
    if (o_.time_offset) {
      set.monotonic_offset = TRY(during("--time-offset", parse_duration(*o_.time_offset)));
      set.boottime_offset = set.monotonic_offset;
    }
    return {};
  }

  Result<void> files() {
    if (!is_new(Kind::mnt)) return {};
    const FileOptions wanted{.rootfs = o_.rootfs,
                             .overlay = o_.overlay,
                             .overlay_size = o_.overlay_size,
                             .shm_size = o_.shm_size,
                             .volumes = o_.volumes,
                             .tmpfs = o_.tmpfs,
                             .devices = o_.devices,
                             .directory = caller_.directory,
                             .read_only = o_.read_only,
                             .privileged = o_.privileged,
                             .nest = o_.nest,
                             .host_ipc = source(Kind::ipc).from == From::host};
    Files made = TRY(make_files(wanted));
    config().files = std::move(made.spec);
    // In a user namespace no device node can be made, and no device rule is needed.
    if (caller_.administrator && !is_new(Kind::user))
      config().device_rules = std::move(made.device_rules);
    return {};
  }

  Result<std::vector<std::string>> with_options(Variables variables) {
    for (const std::string& file : o_.env_files) TRY(variables.add_file(file));
    for (const std::string& text : o_.env) TRY(variables.add(text, "--env"));
    return variables.take();
  }

  Result<void> environment() {
    Variables variables(caller_.environment);
    variables.set("container=umbel");
    // What is on the host's path is found where the files are the host's.
    if (sees_host_files()) variables.pass_on("PATH");
    if (o_.terminal) variables.pass_on("TERM");
    config().process.env = TRY(with_options(std::move(variables)));
    return {};
  }

  Result<void> set_stop_signal() {
    if (!o_.stop_signal) return {};
    TRY(during("--stop-signal", container::parse_signal(*o_.stop_signal)));
    config().stop_signal = *o_.stop_signal;
    return {};
  }

  Result<void> command() {
    container::Process& process = config().process;
    process.args = o_.command;
    process.terminal = o_.terminal;
    process.interactive = o_.interactive;
    if (o_.terminal) process.console_size = caller_.window;
    process.user_name = o_.user.value_or("");
    process.cwd = o_.workdir.value_or(sees_host_files() ? caller_.directory : "/");
    process.cwd_is_wish = !o_.workdir;
    process.cwd = absolute(process.cwd, caller_.directory);
    for (const std::string& text : o_.ulimits)
      process.rlimits.push_back(TRY(during("--ulimit", security::parse_rlimit(text))));
    TRY(environment());
    config().init = !o_.no_init;
    return set_stop_signal();
  }

  // As Docker reckons: ALL first, then one by one, and what is dropped stays away.
  Result<security::CapSet> capabilities() {
    const security::CapSet everything = TRY(security::parse_capability("ALL"));
    // Whoever calls umbel with less can't give more.
    security::CapSet set = security::default_capabilities() & everything;
    security::CapSet added = 0;
    security::CapSet dropped = 0;
    for (const std::string& name : o_.cap_add)
      added |= TRY(during("--cap-add", security::parse_capability(name)));
    for (const std::string& name : o_.cap_drop) {
      const security::CapSet one = TRY(during("--cap-drop", security::parse_capability(name)));
      if (one == everything)
        set = 0;
      else
        dropped |= one;
    }
    if (o_.privileged) set = everything;
    if (o_.nest) {
      const security::CapSet nesting = TRY(nesting_capabilities());
      added |= nesting & everything;
    }
    return (set | added) & ~dropped;
  }

  static Result<security::CapSet> nesting_capabilities() {
    security::CapSet set = 0;
    for (const std::string_view name : {"sys_admin", "net_admin", "sys_ptrace"})
      set |= TRY(security::parse_capability(name));
    return set;
  }

  Result<void> rights() {
    container::Process& process = config().process;
    const security::CapSet set = TRY(capabilities());
    process.capabilities = {.bounding = set, .effective = set, .permitted = set};
    process.no_new_privileges = !o_.privileged;
    if (o_.seccomp && *o_.seccomp != "off")
      process.seccomp = TRY(during(
          "--seccomp", security::read_seccomp(absolute(*o_.seccomp, caller_.directory), set)));
    else if (!o_.seccomp && !o_.privileged && !o_.nest)
      process.default_filter = true;
    if (o_.nest && !o_.seccomp && !o_.privileged) {
      process.seccomp = security::default_seccomp(set);
      // The one call that an umbel inside makes and that goes with no capability in Docker's rules.
      process.seccomp->rules.push_back({.names = {"pivot_root"}, .action = "SCMP_ACT_ALLOW"});
    }
    if (o_.nest)
      made_.notes.emplace_back(
          "--nest gives it the capabilities sys_admin, net_admin and sys_ptrace, the system calls "
          "that go with them, and all of /proc and its cgroup: run only what you trust");
    return {};
  }

  Result<void> limits() {
    config().limits = TRY(parse_limits(o_.limits));
    return place_cgroup();
  }

  Result<void> place_cgroup() {
    // Without a directory of umbel's own above, which every start would make and remove.
    const std::string parent = o_.cgroup_parent.value_or("/");
    const auto first = parent.find_first_not_of('/');
    config().cgroup = first == std::string::npos ? "umbel-" : parent.substr(first) + "/";
    if (caller_.administrator || caller_.cgroup.writable) return {};
    const std::string_view limit = any_limit(o_.limits);
    if (!limit.empty() || o_.cgroup_parent)
      return fail(std::string(limit.empty() ? "--cgroup-parent" : limit) +
                      " needs a cgroup, and you may not make one here",
                  caller_.cgroup.cure);
    config().cgroup.clear();
    return {};
  }

  Result<void> describe() {
    config().name = o_.name;
    if (!o_.name.empty()) TRY(container::check_name(o_.name));
    config().auto_remove = o_.remove;
    if (o_.pid_file) config().pid_file = absolute(*o_.pid_file, caller_.directory);
    for (const std::string& text : o_.labels) {
      const auto halves = cut(text, '=');
      config().labels[std::string(halves ? halves->before : text)] =
          halves ? halves->after : std::string_view();
    }
    return {};
  }

  const RunOptions& o_;
  const Caller& caller_;
  Configured made_;
};

}  // namespace

void set_default_ids(const Caller& caller, ns::Settings& settings) {
  if (!caller.administrator) {
    settings.uid_map = caller.available.uid_map;
    settings.gid_map = caller.available.gid_map;
    settings.deny_setgroups = caller.available.deny_setgroups;
    return;
  }
  const auto same = [](std::vector<ns::IdRange> map) {
    for (ns::IdRange& range : map) range.outside = range.inside;
    return map;
  };
  settings.uid_map = same(caller.own_ids.uid_map);
  settings.gid_map = same(caller.own_ids.gid_map);
}

Result<Caller> caller() {
  Caller caller;
  const security::CapSet admin = TRY(security::parse_capability("sys_admin"));
  const security::Capabilities own = TRY(security::own_capabilities());
  caller.administrator = (own.effective & admin) != 0;
  caller.directory = TRY(during("the directory you are in", sys::working_directory()));
  caller.environment = own_environment();
  if (const Result<console::WindowSize> size = console::window_size(standard_out))
    caller.window = {.rows = size->rows, .columns = size->columns};
  if (caller.administrator) {
    TRY(ns::user::capture(caller.own_ids));
    return caller;
  }
  caller.available = TRY(ns::user::available_maps());
  caller.cgroup = TRY(cgroup::host());
  return caller;
}

Result<Configured> configure(const RunOptions& options, const Caller& caller) {
  return Builder(options, caller).build();
}

}  // namespace umbel::cli
