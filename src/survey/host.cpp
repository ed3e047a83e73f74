// A process belongs to the innermost container that its cgroup says; where a container has no
// cgroup of its own, to the one that it descends from or whose pid namespace it is in. Parents and
// owners of namespaces are asked of a descriptor (ioctl_ns(2)): one process of each is opened.
#include "survey/host.h"

#include <fcntl.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "survey/engines.h"
#include "sys/file.h"
#include "sys/namespace.h"

namespace umbel::survey {

namespace {

constexpr std::string_view own_engine = "umbel";
// Where umbel-oci keeps its containers when nobody, such as an engine above it, says otherwise.
constexpr std::string_view oci_home = "/run/umbel-oci";

bool is_first(HostPid pid) {
  const Result<inspect::Process> process = inspect::Process::open(pid);
  if (!process) return false;
  const Result<proc::Keyed> status = process->status();
  const Result<InnerPid> inner = status ? inspect::inner_pid(*status) : fail("it has ended");
  return inner && inner->value() == 1;
}

// Those without a cgroup that is theirs alone.
std::vector<HostPid> by_descent(const Host& host, const container::Container& container) {
  const HostPid init = container.state.init.pid;
  const Resident* first = host.everybody.find(init);
  if (first == nullptr) return {};
  const std::size_t pid = ns::index(ns::Kind::pid);
  const bool own = container.config.namespaces[ns::Kind::pid].from == ns::From::fresh;
  std::vector<HostPid> found;
  for (const Resident& resident : host.everybody.residents) {
    const Resident* at = &resident;
    while (at != nullptr && at->pid != init) at = host.everybody.find(at->parent);
    if (at != nullptr || (own && resident.namespaces.at(pid) == first->namespaces.at(pid)))
      found.push_back(resident.pid);
  }
  return found;
}

std::vector<HostPid> members(const Host& host, const container::Container& container) {
  if (container.state.cgroup.empty()) return by_descent(host, container);
  Result<std::vector<HostPid>> in = container.group().processes();
  std::vector<HostPid> found = in ? std::move(*in) : std::vector<HostPid>();
  found.push_back(container.state.init.pid);
  return found;
}

// Of the commands for people, or of the face of runc.
Result<void> add_own(Host& host, const container::Home& home, const std::string& engine) {
  for (container::Container& container : TRY(home.all())) {
    if (!container.is_running()) continue;
    const Resident* init = host.everybody.find(container.state.init.pid);
    if (init == nullptr) continue;                // it has just ended
    if (host.home.contains(init->pid)) continue;  // its engine has shown it
    const std::size_t index = host.containers.size();
    for (const HostPid pid : members(host, container)) host.home[pid] = index;
    const std::string prefix = engine == own_engine ? "" : engine + ":";
    host.containers.push_back({.name = prefix + container.name(),
                               .engine = engine,
                               .id = container.name(),
                               .init = init->pid,
                               .monitor = container.state.monitor.pid,
                               .namespaces = init->namespaces,
                               .config = std::move(container.config)});
  }
  return {};
}

void add_foreign(Host& host) {
  std::map<Foreign, std::vector<const Resident*>> found;
  for (const Resident& resident : host.everybody.residents)
    if (!host.home.contains(resident.pid) && !resident.zombie)
      if (const auto foreign = foreign_of(resident, host.everybody))
        found[*foreign].push_back(&resident);
  for (const auto& [foreign, residents] : found) {
    const Resident* first = *std::ranges::min_element(residents, {}, &Resident::start_time);
    const std::size_t index = host.containers.size();
    for (const Resident* resident : residents) host.home[resident->pid] = index;
    host.containers.push_back(
        {.name = foreign.engine + ":" + name_of(foreign, *first, host.everybody),
         .engine = foreign.engine,
         .id = foreign.id,
         .init = first->pid,
         .namespaces = first->namespaces});
  }
}

// Children of a shim's container that no cgroup names are found through their parents.
void add_descendants(Host& host) {
  for (const Resident& resident : host.everybody.residents) {
    const Resident* at = &resident;
    while (at != nullptr && !host.home.contains(at->pid)) at = host.everybody.find(at->parent);
    if (at == nullptr || at == &resident) continue;
    host.home[resident.pid] = host.home.at(at->pid);
  }
}

std::uint64_t inode_of(const Result<Fd>& ns) {
  if (!ns) return 0;
  const Result<sys::Identity> identity = sys::identity(*ns);
  return identity ? identity->inode : 0;
}

void add_families(Host& host) {
  for (const Resident& resident : host.everybody.residents)
    for (const ns::KindInfo& kind : ns::kinds) {
      const std::uint64_t id = resident.namespaces.at(ns::index(kind.kind));
      if (id == 0 || host.families.contains(id)) continue;
      const Result<Fd> ns = sys::open(
          cwd, "/proc/" + std::to_string(resident.pid.value()) + "/ns/" + std::string(kind.proc),
          O_RDONLY);
      if (!ns) continue;
      Family family{.owner = inode_of(sys::namespace_owner(*ns))};
      if (kind.kind == ns::Kind::pid || kind.kind == ns::Kind::user)
        family.parent = inode_of(sys::namespace_parent(*ns));
      host.families[id] = family;
    }
}

}  // namespace

const Container* Host::container_of(HostPid pid) const {
  const auto found = home.find(pid);
  return found == home.end() ? nullptr : &containers[found->second];
}

Result<std::size_t> Host::find(const std::string& name) const {
  std::vector<std::size_t> begins;
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < containers.size(); ++i) {
    const Container& one = containers[i];
    if (one.name == name || one.id == name) return i;
    const bool foreign = one.engine != own_engine;
    if (one.name.starts_with(name) || (foreign && one.id.starts_with(name)) ||
        (foreign && one.name == one.engine + ":" + name))
      begins.push_back(i);
    names.push_back(one.name);
    if (foreign) names.push_back(std::string_view(one.name).substr(one.engine.size() + 1));
  }
  if (begins.size() == 1) return begins.front();
  if (begins.size() > 1)
    return fail("'" + name + "' could be " + containers[begins[0]].name + " or " +
                    containers[begins[1]].name,
                "write more of the name");
  const auto meant = nearest(name, names);
  return fail_with(
      ENOENT, "no container " + name + " runs on this host",
      meant ? "did you mean " + std::string(*meant) + "?" : "umbel graph lists those that do");
}

Result<Host> look(const container::Home& home) {
  Host host;
  host.own = own_namespaces();
  host.everybody = TRY(population());
  TRY(add_own(host, home, std::string(own_engine)));
  add_foreign(host);
  if (const std::string path(oci_home); sys::exists(cwd, path + "/containers"))
    if (const auto oci = container::Home::open(path)) TRY(add_own(host, *oci, "umbel-oci"));
  add_descendants(host);
  for (const auto& [pid, index] : host.home)
    if (host.everybody.find(pid) != nullptr) host.containers[index].processes.push_back(pid);
  for (Container& container : host.containers) container.leads = is_first(container.init);
  add_families(host);
  return host;
}

}  // namespace umbel::survey
