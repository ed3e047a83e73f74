// What `umbel graph --json` prints; see records.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "policy/graph.h"

namespace umbel::cli {

struct StrangerRecord {
  std::int32_t pid = 0;
  std::string name;
};
void fields(auto& archive, StrangerRecord& r) {
  archive("pid", r.pid);
  archive("name", r.name);
}

struct GraphContainerRecord {
  std::string name, engine;
  std::int32_t pid = 0;
  std::uint64_t processes = 0;
  std::map<std::string, std::uint64_t> namespaces;  // kind to id
};
void fields(auto& archive, GraphContainerRecord& r) {
  archive("name", r.name);
  archive("engine", r.engine);
  archive("pid", r.pid);
  archive("processes", r.processes);
  archive("namespaces", r.namespaces);
}

struct SpaceRecord {
  std::string kind;
  std::uint64_t id = 0;
  bool host = false;
  std::optional<std::uint64_t> parent, owner;
  std::vector<std::string> containers, visitors, names;
  std::vector<StrangerRecord> others;  // processes of no container
};
void fields(auto& archive, SpaceRecord& r) {
  archive("kind", r.kind);
  archive("id", r.id);
  archive("host", r.host);
  archive("parent", r.parent);
  archive("owner", r.owner);
  archive("containers", r.containers);
  archive("visitors", r.visitors);
  archive("names", r.names);
  archive("others", r.others);
}

struct LossRecord {
  std::string container;
  policy::Loss::What what = policy::Loss::What::ends;
  std::string why;
};
void fields(auto& archive, LossRecord& r) {
  archive("container", r.container);
  archive("what", r.what);
  archive("why", r.why);
}

struct GraphRecord {
  std::vector<GraphContainerRecord> containers;
  std::vector<SpaceRecord> namespaces;
  std::optional<std::vector<LossRecord>> if_removed;
};
void fields(auto& archive, GraphRecord& r) {
  archive("containers", r.containers);
  archive("namespaces", r.namespaces);
  archive("ifRemoved", r.if_removed);
}

// The kinds in the order in which a picture shows them: what people share most stands first.
extern const std::array<ns::Kind, ns::kind_count> shown_kinds;

std::string graph_dot(const policy::Graph& graph);
std::string graph_svg(const policy::Graph& graph);

}  // namespace umbel::cli
