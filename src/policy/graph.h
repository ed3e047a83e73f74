// The overlap graph: containers against namespaces. Pure, from what survey has seen.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ns/kind.h"
#include "ns/named.h"
#include "survey/host.h"

namespace umbel::policy {

// A process of no container.
struct Stranger {
  HostPid pid;
  std::string name;
};

struct Space {
  ns::Kind kind = ns::Kind::user;
  std::uint64_t id = 0;                 // its inode
  bool host = false;                    // it is the one that whoever asks is in
  std::uint64_t parent = 0, owner = 0;  // ids; 0: none that may be seen
  std::vector<std::string> names;       // "net/lab": it lives on without any process
  std::vector<std::size_t> containers;  // whose first process sits in it
  // Processes of containers that sit in it though their container does not: after an unshare.
  std::vector<std::size_t> visitors;
  std::vector<Stranger> strangers;  // not of the host's own, where everybody else sits

  bool shared() const { return containers.size() > 1; }
  // More than one container's own, and not the host's.
  bool stands_out() const { return !host && (shared() || !names.empty()); }
};

struct Node {
  std::string name, engine;
  HostPid init;
  bool leads = false;  // init is the first process of its pid namespace, all of which ends with it
  std::size_t processes = 0;
  std::array<std::size_t, ns::kind_count> spaces{};  // index into Graph::spaces, by ns::index
};

struct Graph {
  std::vector<Node> containers;  // those that overlap stand together
  std::vector<Space> spaces;     // by kind, then in the order of the containers that sit in them

  const Space& space(const Node& node, ns::Kind kind) const {
    return spaces.at(node.spaces.at(ns::index(kind)));
  }
  const Space* find(std::uint64_t id) const;
  // Whether `inner` was made, at some depth, in `outer`.
  bool descends(const Space& inner, const Space& outer) const;
};
// A named namespace has a place in it also when nobody is in it.
Graph graph_of(const survey::Host& host, std::span<const ns::Name> names = {});

// What would happen to the others.
struct Loss {
  std::string container;
  enum class What { ends, cannot_start } what = What::ends;
  std::string why;
};
constexpr auto name_table(Loss::What) {
  struct Entry {
    Loss::What value;
    std::string_view name;
  };
  return std::to_array<Entry>(
      {{Loss::What::ends, "ends"}, {Loss::What::cannot_start, "cannotStart"}});
}
std::vector<Loss> if_removed(const survey::Host& host, const Graph& graph, std::size_t container);

}  // namespace umbel::policy
