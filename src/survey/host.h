// The containers of this host, whoever runs them, with their processes; and the family of every
// namespace that somebody sits in.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "container/store.h"
#include "survey/population.h"

namespace umbel::survey {

struct Container {
  std::string name;    // as people write it here: "web", "docker:web"
  std::string engine;  // "umbel" or another
  std::string id;      // the engine's own; umbel's is the name
  HostPid init;        // the first of its processes
  bool leads = false;  // it is pid 1 of a pid namespace
  HostPid monitor;     // umbel's own process that keeps its output; none elsewhere
  std::vector<HostPid> processes;
  Ids namespaces{};                         // of init
  std::optional<container::Config> config;  // umbel's
};

// Of a namespace: what it was made in, and the user namespace that owns it; 0 where that is outside
// of what the reader may see.
struct Family {
  std::uint64_t parent = 0, owner = 0;
};

struct Host {
  Population everybody;
  std::vector<Container> containers;    // that run; umbel's first, by name
  std::map<HostPid, std::size_t> home;  // whose a process is: index into containers
  Ids own{};                            // of whoever asks
  std::map<std::uint64_t, Family> families;

  // By name, by an unambiguous beginning of it or of the engine's id. The error suggests.
  Result<std::size_t> find(const std::string& name) const;
  const Container* container_of(HostPid pid) const;
};
Result<Host> look(const container::Home& home);

}  // namespace umbel::survey
