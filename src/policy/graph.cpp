// A space is one namespace. A container sits where its first process does; any other of its
// processes may have gone elsewhere since, which shows as a visit. When a pid namespace's first
// process ends, the kernel kills everybody in it and below it (pid_namespaces(7)); all other kinds
// live as long as somebody uses them.
#include "policy/graph.h"

#include <algorithm>
#include <map>
#include <set>

namespace umbel::policy {

namespace {

using ns::index;
using survey::Host;

// Containers that overlap, directly or through others, stand together; otherwise as they came.
std::vector<std::size_t> ordered(const Host& host) {
  const auto overlap = [&](std::size_t a, std::size_t b) {
    for (const ns::KindInfo& kind : ns::kinds) {
      const std::uint64_t id = host.containers[a].namespaces.at(index(kind.kind));
      if (id != 0 && id != host.own.at(index(kind.kind)) &&
          id == host.containers[b].namespaces.at(index(kind.kind)))
        return true;
    }
    return false;
  };
  std::vector<std::size_t> order;
  std::set<std::size_t> placed;
  const auto place = [&](auto& self, std::size_t at) -> void {
    if (!placed.insert(at).second) return;
    order.push_back(at);
    for (std::size_t other = 0; other < host.containers.size(); ++other)
      if (overlap(at, other)) self(self, other);
  };
  for (std::size_t i = 0; i < host.containers.size(); ++i) place(place, i);
  return order;
}

class Builder {
 public:
  Builder(const Host& host, std::span<const ns::Name> names) : host_(host), names_(names) {}

  Graph build() {
    const std::vector<std::size_t> order = ordered(host_);
    for (std::size_t i = 0; i < order.size(); ++i) {
      const survey::Container& from = host_.containers[order[i]];
      place_[order[i]] = i;
      made_.containers.push_back({.name = from.name,
                                  .engine = from.engine,
                                  .init = from.init,
                                  .leads = from.leads,
                                  .processes = from.processes.size()});
    }
    for (const ns::KindInfo& kind : ns::kinds) add_kind(kind.kind, order);
    add_names();
    add_residents();
    sort_spaces();
    return std::move(made_);
  }

 private:
  std::size_t space(ns::Kind kind, std::uint64_t id) {
    // What the reader may not see could be anything: it is nobody else's.
    const auto known = known_.find({kind, id});
    if (id != 0 && known != known_.end()) return known->second;
    known_[{kind, id}] = made_.spaces.size();
    const auto family = host_.families.find(id);
    Space made{.kind = kind, .id = id, .host = id != 0 && id == host_.own.at(index(kind))};
    if (family != host_.families.end()) {
      made.parent = family->second.parent;
      made.owner = family->second.owner;
    }
    made_.spaces.push_back(std::move(made));
    return made_.spaces.size() - 1;
  }

  void add_kind(ns::Kind kind, const std::vector<std::size_t>& order) {
    for (std::size_t i = 0; i < order.size(); ++i) {
      const std::size_t at = space(kind, host_.containers[order[i]].namespaces.at(index(kind)));
      made_.spaces[at].containers.push_back(i);
      made_.containers[i].spaces.at(index(kind)) = at;
    }
  }

  void add_names() {
    for (const ns::Name& name : names_) {
      if (name.inode == 0) continue;
      Space& at = made_.spaces[space(name.kind, name.inode)];
      at.names.push_back(ns::full_name(name));
      if (at.owner == 0) at.owner = name.owner;
    }
  }

  // One that only holds a namespace for its name is nobody in it.
  bool only_holds(HostPid pid) const {
    return std::ranges::find(names_, pid, &ns::Name::holder) != names_.end();
  }

  void add_resident(const survey::Resident& resident, ns::Kind kind) {
    const std::uint64_t id = resident.namespaces.at(index(kind));
    if (id == 0 || id == host_.own.at(index(kind))) return;
    Space& at = made_.spaces[space(kind, id)];
    const auto home = host_.home.find(resident.pid);
    if (home == host_.home.end()) {
      at.strangers.push_back({resident.pid, resident.name});
      return;
    }
    const std::size_t container = place_.at(home->second);
    if (std::ranges::find(at.containers, container) == at.containers.end() &&
        std::ranges::find(at.visitors, container) == at.visitors.end())
      at.visitors.push_back(container);
  }

  void add_residents() {
    for (const survey::Resident& resident : host_.everybody.residents)
      if (!resident.zombie && !only_holds(resident.pid))
        for (const ns::KindInfo& kind : ns::kinds) add_resident(resident, kind.kind);
  }

  // By kind; within one in the order in which they were met, that of the containers.
  void sort_spaces() {
    std::vector<Space> sorted;
    for (const ns::KindInfo& kind : ns::kinds)
      for (Space& space : made_.spaces)
        if (space.kind == kind.kind) sorted.push_back(std::move(space));
    made_.spaces = std::move(sorted);
    for (Node& node : made_.containers) node.spaces.fill(0);
    for (std::size_t i = 0; i < made_.spaces.size(); ++i)
      for (const std::size_t container : made_.spaces[i].containers)
        made_.containers[container].spaces.at(index(made_.spaces[i].kind)) = i;
  }

  const Host& host_;
  const std::span<const ns::Name> names_;
  Graph made_;
  std::map<std::pair<ns::Kind, std::uint64_t>, std::size_t> known_;
  std::map<std::size_t, std::size_t> place_;  // host's index to the graph's
};

std::string quoted_option(const ns::KindInfo& kind, const std::string& name) {
  return "--" + std::string(kind.option) + " with:" + name;
}

}  // namespace

const Space* Graph::find(std::uint64_t id) const {
  const auto found = std::ranges::find(spaces, id, &Space::id);
  return id == 0 || found == spaces.end() ? nullptr : &*found;
}

bool Graph::descends(const Space& inner, const Space& outer) const {
  const Space* at = &inner;
  for (std::size_t depth = 0; at != nullptr && depth <= spaces.size(); ++depth) {
    if (at->kind == outer.kind && at->id == outer.id) return true;
    at = find(at->parent);
  }
  return false;
}

Graph graph_of(const Host& host, std::span<const ns::Name> names) {
  return Builder(host, names).build();
}

std::vector<Loss> if_removed(const Host& host, const Graph& graph, std::size_t container) {
  std::vector<Loss> losses;
  const Node& gone = graph.containers.at(container);
  const Space& pids = graph.space(gone, ns::Kind::pid);
  for (std::size_t i = 0; i < graph.containers.size(); ++i) {
    const Node& other = graph.containers[i];
    if (i == container) continue;
    if (gone.leads && graph.descends(graph.space(other, ns::Kind::pid), pids)) {
      const bool same = graph.space(other, ns::Kind::pid).id == pids.id;
      losses.push_back({other.name, Loss::What::ends,
                        "its processes are in " + gone.name + "'s pid namespace" +
                            (same ? "" : " or one below it") +
                            ", and the kernel ends them with its first process"});
    }
    const auto known = std::ranges::find(host.containers, other.name, &survey::Container::name);
    if (known == host.containers.end() || !known->config) continue;
    // Asked for just above.
    const container::Config& config = *known->config;  // NOLINT(bugprone-unchecked-optional-access)
    std::string kinds;
    for (const ns::KindInfo& kind : ns::kinds)
      if (const ns::Source& source = config.namespaces[kind.kind];
          source.from == ns::From::with && source.what == gone.name)
        kinds += (kinds.empty() ? "" : ", ") + quoted_option(kind, gone.name);
    if (!kinds.empty())
      losses.push_back({other.name, Loss::What::cannot_start,
                        "it was made with " + kinds + ": once ended, it can't be started again"});
  }
  return losses;
}

}  // namespace umbel::policy
