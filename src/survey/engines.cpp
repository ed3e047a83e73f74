// Where each engine puts a container's cgroup, with the cgroupfs and the systemd driver: the
// documents of Docker (cgroup parent), podman (libpod-ID), containerd (NAMESPACE/ID), Kubernetes
// (kubepods/.../podUID/ID), LXC (lxc.payload.NAME) and systemd (machine-NAME.scope). conmon and
// containerd-shim, which stand above a container's first process, name it on their command lines.
#include "survey/engines.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/value.h"
#include "sys/file.h"

namespace umbel::survey {

namespace {

enum class Naming { digits, any };  // ids of 64 hexadecimal digits, or names
struct Pattern {
  std::string_view engine, before, after;
  Naming naming;
};
constexpr std::array patterns = std::to_array<Pattern>({
    {"docker", "docker-", ".scope", Naming::digits},
    {"podman", "libpod-", ".scope", Naming::digits},
    {"podman", "libpod-", "", Naming::digits},
    {"containerd", "cri-containerd-", ".scope", Naming::digits},
    {"cri-o", "crio-", ".scope", Naming::digits},
    {"lxc", "lxc.payload.", "", Naming::any},
    {"nspawn", "machine-", ".scope", Naming::any},
});
struct Parent {
  std::string_view engine, parent;
};
constexpr std::array parents = std::to_array<Parent>(
    {{"docker", "docker"}, {"kubernetes", "pod"}, {"kubernetes", "kubepods"}});

bool is_id(std::string_view text) {
  constexpr std::size_t letters = 64;
  return text.size() == letters &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::optional<Foreign> match(std::string_view part, std::string_view above) {
  for (const Pattern& known : patterns) {
    if (!part.starts_with(known.before) || !part.ends_with(known.after) ||
        part.size() <= known.before.size() + known.after.size())
      continue;
    const std::string_view id =
        part.substr(known.before.size(), part.size() - known.before.size() - known.after.size());
    if (known.naming == Naming::digits && !is_id(id)) continue;
    return Foreign{std::string(known.engine), std::string(id)};
  }
  for (const Parent& known : parents)
    if (is_id(part) && above.starts_with(known.parent))
      return Foreign{std::string(known.engine), std::string(part)};
  return std::nullopt;
}

// The value after a word of a command line.
std::string option(const std::vector<std::string>& words, std::string_view name) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == name && i + 1 < words.size()) return words[i + 1];
    if (words[i].starts_with(std::string(name) + "=")) return words[i].substr(name.size() + 1);
  }
  return {};
}

// containerd's shim serves the container that it names, or a pod of them.
std::optional<Foreign> by_shim(const Resident& resident, const Population& all) {
  const Resident* parent = all.find(resident.parent);
  if (parent == nullptr || !parent->name.starts_with("containerd-shim") ||
      resident.name.starts_with("containerd-shim"))
    return std::nullopt;
  const std::vector<std::string> words = command_line(parent->pid);
  const std::string id = option(words, "-id");
  if (id.empty()) return std::nullopt;
  return Foreign{option(words, "-namespace") == "moby" ? "docker" : "containerd", id};
}

std::string short_id(const std::string& id) {
  constexpr std::size_t letters = 12;
  return is_id(id) ? id.substr(0, letters) : id;
}

// "Name": "/web" of each daemon's own record.
std::string docker_name(const Foreign& foreign, const Resident&, const Population& all) {
  std::vector<std::string> roots{"/var/lib/docker"};
  for (const Resident& resident : all.residents)
    if (resident.name == "dockerd")
      if (std::string root = option(command_line(resident.pid), "--data-root"); !root.empty())
        roots.push_back(std::move(root));
  for (const std::string& root : roots) {
    const auto text = sys::read_file(cwd, root + "/containers/" + foreign.id + "/config.v2.json");
    const Result<Value> value = text ? parse_json(*text) : fail("not there");
    const Value* name = value ? value->find("Name") : nullptr;
    const std::string* said = name == nullptr ? nullptr : name->as<std::string>();
    if (said != nullptr && said->size() > 1) return said->substr(said->starts_with('/') ? 1 : 0);
  }
  return {};
}

std::string podman_name(const Foreign&, const Resident& first, const Population& all) {
  const Resident* parent = all.find(first.parent);
  if (parent == nullptr || parent->name != "conmon") return {};
  return option(command_line(parent->pid), "-n");
}

struct Namer {
  std::string_view engine;
  std::string (*name)(const Foreign&, const Resident&, const Population&);
};
constexpr std::array namers = std::to_array<Namer>(
    {{"docker", docker_name}, {"podman", podman_name}, {"cri-o", podman_name}});

}  // namespace

std::optional<Foreign> foreign_in(std::string_view cgroup) {
  const std::vector<std::string_view> parts = split(cgroup, '/');
  for (std::size_t i = parts.size(); i-- > 0;)
    if (auto found = match(parts[i], i > 0 ? parts[i - 1] : std::string_view())) return found;
  return std::nullopt;
}

std::optional<Foreign> foreign_of(const Resident& resident, const Population& all) {
  for (const std::string& path : resident.cgroups)
    if (auto found = foreign_in(path)) return found;
  return by_shim(resident, all);
}

std::string name_of(const Foreign& foreign, const Resident& first, const Population& all) {
  for (const Namer& known : namers)
    if (known.engine == foreign.engine)
      if (std::string name = known.name(foreign, first, all); !name.empty()) return name;
  return short_id(foreign.id);
}

}  // namespace umbel::survey
