// What this host offers, each point asked of the kernel: ok, limited (umbel does something else
// instead, and says what) or missing (an option will be refused), with the cure where there is one.
#include <sys/utsname.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "cgroup/cgroup.h"
#include "cli/umbel/commands.h"
#include "cli/umbel/output.h"
#include "cli/umbel/records.h"
#include "cli/umbel/version.h"
#include "container/lifecycle.h"
#include "ns/user.h"
#include "security/capabilities.h"
#include "sys/file.h"
#include "sys/identity.h"

namespace umbel::cli {

namespace {

struct Options {
  bool json = false;
};

Syntax syntax(Options& o) {
  return {.sections = {{"", {{"json", 0, "", "as JSON", &o.json}}}},
          .about = "For whoever asks: an ordinary user sees what is different without root.",
          .examples = {
              {"umbel info", "what is there"},
              {"umbel info --json | jq '.findings[] | select(.state != \"ok\")'", "what is not"}}};
}

// The facts that several findings depend on.
struct Host {
  sys::Names names;
  bool administrator = false;
  security::CapSet bounding = 0;
  cgroup::Host cgroup;
};
using Findings = std::vector<FindingRecord>;

void ok(Findings& list, std::string subject, std::string text) {
  list.push_back({std::move(subject), "ok", std::move(text), {}});
}
void limited(Findings& list, std::string subject, std::string text, std::string cure = {}) {
  list.push_back({std::move(subject), "limited", std::move(text), std::move(cure)});
}
void missing(Findings& list, std::string subject, std::string text, std::string cure = {}) {
  list.push_back({std::move(subject), "missing", std::move(text), std::move(cure)});
}

std::optional<std::int64_t> parameter(const std::string& path) {
  const Result<std::string> text = sys::read_file(cwd, "/proc/sys/" + path);
  if (!text) return std::nullopt;
  return number(trimmed(*text));
}

void kernel(const Host& host, Findings& list) {
  const auto parts = split(host.names.release, '.');
  const std::int64_t major = parts.empty() ? 0 : number(parts[0]).value_or(0);
  std::string_view minor_text = parts.size() > 1 ? parts[1] : "";
  minor_text = minor_text.substr(0, minor_text.find_first_not_of("0123456789"));
  const std::int64_t minor = number(minor_text).value_or(0);
  if (major > 5 || (major == 5 && minor >= 15))
    return ok(list, "kernel", "Linux " + host.names.release);
  missing(list, "kernel", "Linux " + host.names.release + " is older than umbel knows",
          "use Linux 5.15 or newer");
}

void kinds(const Host&, Findings& list) {
  std::string absent;
  for (const ns::KindInfo& kind : ns::kinds)
    if (!sys::exists(cwd, "/proc/self/ns/" + std::string(kind.proc)))
      absent += " " + std::string(kind.proc);
  if (absent.empty()) return ok(list, "namespaces", "all eight kinds");
  missing(list, "namespaces", "this kernel is built without" + absent,
          "use --KIND host for them, or another kernel");
}

void user_namespaces(const Host& host, Findings& list) {
  struct Switch {
    std::string_view path;
    std::int64_t forbidding;
    bool for_all;  // also for root
  };
  static constexpr std::array switches = std::to_array<Switch>({
      {"user/max_user_namespaces", 0, true},
      {"kernel/unprivileged_userns_clone", 0, false},
      {"kernel/apparmor_restrict_unprivileged_userns", 1, false},
  });
  for (const Switch& one : switches) {
    if (host.administrator && !one.for_all) continue;
    const std::string path(one.path);
    if (parameter(path) != one.forbidding) continue;
    std::string name = path;
    std::ranges::replace(name, '/', '.');
    return missing(list, "user namespaces",
                   name + " is " + std::to_string(one.forbidding) + ": they are forbidden here",
                   "as root: sysctl " + name + (one.forbidding == 0 ? "=15000" : "=0"));
  }
  ok(list, "user namespaces", "allowed");
}

void ids(const Host& host, Findings& list) {
  if (host.administrator) return;
  const Result<ns::user::Available> maps = ns::user::available_maps();
  if (!maps) return missing(list, "ids", maps.error().message());
  if (maps->note.empty()) return ok(list, "ids", "yours and your subordinate ones can be mapped");
  limited(list, "ids", maps->note,
          maps->note.contains("newuidmap") ? "install the package uidmap"
                                           : "as root: usermod --add-subuids 100000-165535 "
                                             "--add-subgids 100000-165535 $USER");
}

void cgroups(const Host& host, Findings& list) {
  static constexpr std::array<std::string_view, 4> names{"none", "v1", "v1 and v2 (hybrid)", "v2"};
  const std::string version(names.at(static_cast<std::size_t>(host.cgroup.version)));
  if (host.cgroup.writable)
    ok(list, "cgroups", version);
  else
    limited(list, "cgroups", version + ", where you may make none: no limits, pause or stats",
            host.cgroup.cure);
}

void controllers(const Host& host, Findings& list) {
  struct Controller {
    std::string_view name, other_name;  // in v2 and in v1
    std::string_view option;
  };
  static constexpr std::array wanted = std::to_array<Controller>({
      {"memory", "memory", "--memory"},
      {"cpu", "cpu", "--cpus"},
      {"cpuset", "cpuset", "--cpuset-cpus"},
      {"pids", "pids", "--pids-limit"},
      {"io", "blkio", "--io-weight"},
  });
  std::string absent;
  for (const Controller& one : wanted) {
    const auto& have = host.cgroup.controllers;
    const bool found = std::ranges::find(have, one.name) != have.end() ||
                       std::ranges::find(have, one.other_name) != have.end();
    if (!found) absent += (absent.empty() ? "" : ", ") + std::string(one.option);
  }
  if (absent.empty()) return ok(list, "limits", "all of umbel's");
  limited(list, "limits", "there is no controller for " + absent,
          "on cgroup v2 enable it in cgroup.subtree_control, or boot with cgroup_enable=NAME");
}

void overlay(const Host& host, Findings& list) {
  const Result<std::string> known = sys::read_file(cwd, "/proc/filesystems");
  if (!known || !known->contains("\toverlay\n"))
    return limited(list, "overlay",
                   "this kernel knows no overlay file system yet, and without "
                   "--rootfs it is needed",
                   "as root: modprobe overlay");
  if (host.administrator) return ok(list, "overlay", "the host's root, thrown away or kept");
  limited(list, "overlay",
          "as an ordinary user each top directory has its own, and files of other owners than the "
          "mapped ones cannot be changed");
}

void devices(const Host& host, Findings& list) {
  if (host.administrator) return ok(list, "devices", "--device makes them");
  limited(list, "devices",
          "as an ordinary user --device shows a device of the host as it is: its owner and mode "
          "decide who may use it");
}

void filters(const Host&, Findings& list) {
  if (sys::exists(cwd, "/proc/sys/kernel/seccomp/actions_avail"))
    return ok(list, "seccomp", "system calls can be filtered");
  missing(list, "seccomp", "this kernel is built without system-call filters", "add --seccomp off");
}

void rights(const Host& host, Findings& list) {
  const security::CapSet absent = security::all_capabilities() & ~host.bounding;
  if (absent == 0) return ok(list, "capabilities", "all that this kernel knows");
  std::vector<std::string> names = security::capability_names(absent);
  std::string text = "no container can have " + join(names, ", ") + ", which umbel itself lacks";
  if (std::ranges::find(names, "CAP_SYS_RESOURCE") != names.end())
    text += "; --ulimit cannot raise a hard limit";
  limited(list, "capabilities", text);
}

using Examine = void (*)(const Host&, Findings&);
constexpr std::array examinations = std::to_array<Examine>(
    {kernel, kinds, user_namespaces, ids, cgroups, controllers, overlay, devices, filters, rights});

std::string version_name(cgroup::Version version) {
  static constexpr std::array<std::string_view, 4> names{"none", "v1", "hybrid", "v2"};
  return std::string(names.at(static_cast<std::size_t>(version)));
}

Result<InfoRecord> collect() {
  const container::Home home = TRY(container::Home::open());
  const security::CapSet admin = TRY(security::parse_capability("sys_admin"));
  const security::Capabilities own = TRY(security::own_capabilities());
  Host host{.administrator = (own.effective & admin) != 0, .bounding = security::own_bounding()};
  host.names = TRY(sys::names());
  host.cgroup = TRY(cgroup::host());
  InfoRecord record{.version = std::string(version),
                    .kernel = host.names.release,
                    .machine = host.names.machine,
                    .home = home.path(),
                    .user = host.administrator ? "administrator" : "ordinary user",
                    .cgroup = version_name(host.cgroup.version),
                    .controllers = host.cgroup.controllers,
                    .capabilities = security::capability_names(host.bounding)};
  for (const container::Container& container : TRY(home.all())) {
    ++record.containers;
    if (container.is_running()) ++record.running;
  }
  for (const Examine examine : examinations) examine(host, record.findings);
  return record;
}

std::string text_of(const InfoRecord& record) {
  std::string text = "umbel " + record.version + " on Linux " + record.kernel + ", " +
                     record.machine + ", as " +
                     (record.user == "administrator" ? "root" : "an ordinary user") + "\n" +
                     std::to_string(record.containers) + " containers in " + record.home + ", " +
                     std::to_string(record.running) + " of them running\n\n";
  for (const FindingRecord& finding : record.findings) {
    const Colour colour = finding.state == "ok"        ? Colour::green
                          : finding.state == "limited" ? Colour::yellow
                                                       : Colour::red;
    std::string subject = finding.subject;
    subject.resize(16, ' ');
    std::string state = finding.state;
    state.resize(8, ' ');
    text += subject + coloured(colour, state) + finding.text + "\n";
    if (!finding.cure.empty()) text += std::string(16, ' ') + "try: " + finding.cure + "\n";
  }
  return text;
}

Result<int> act(const Options& o) {
  const InfoRecord record = TRY(collect());
  if (o.json)
    TRY(print_json(record));
  else
    TRY(print(text_of(record)));
  return 0;
}

}  // namespace

const Verb info_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
