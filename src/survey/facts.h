// Through what a container's processes touch the world, found without stopping anyone: each fact is
// one thing, with everybody else who has it. What that means is for a policy to say.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "survey/host.h"

namespace umbel::survey {

enum class Matter : std::uint8_t {
  pipe,
  socket,
  connection,  // of TCP
  memory,
  lock,
  terminal,
  tracer,
  mount,
  file,      // open, and on no mount that the process sees
  device,    // open, or shown by a mount
  entrance,  // a process that does not descend from the first one
  session,   // of the first process, led by somebody outside
  nested,    // a namespace made inside
  kind,      // a descriptor that a checkpoint can't carry
  mapping,   // memory that a checkpoint can't carry
  rights,    // more capabilities than usual, or no filter
  link       // a network interface beside loopback
};
struct MatterInfo {
  Matter matter;
  std::string_view name;
};
std::string_view matter_name(Matter matter);

struct Holder {
  HostPid pid;
  std::string name;
  std::optional<std::size_t> container;  // index into Host::containers; none: of no container
};

struct Fact {
  std::size_t container = 0;
  HostPid pid;
  int fd = -1;  // none
  Matter matter = Matter::kind;
  std::string object;          // as a person finds it again: a path, pipe:[1], an address
  std::string detail;          // what is worth saying about it
  std::vector<Holder> others;  // who else has it
  bool outside = false;        // it leads outside whoever has it
  std::string cure;            // where its kind knows one
};

// What could not be read, and so could hide something.
struct Doubt {
  std::size_t container = 0;
  std::string what;
};

struct Facts {
  std::vector<Fact> facts;
  std::vector<Doubt> doubts;
  std::vector<std::size_t> of;                   // the containers that were looked at
  std::uint64_t processes = 0, descriptors = 0;  // how many were looked at
};

struct FactOptions {
  bool memory_kinds = false;  // read smaps instead of maps: for checkpoints
};

// Keeps what it has read of everybody else between calls.
class Collector {
 public:
  Collector(const Host& host, FactOptions options);
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;
  // Adds the facts of containers that were not looked at yet.
  Result<void> add(const std::vector<std::size_t>& containers);
  const Facts& facts() const;

  struct Work;

 private:
  std::unique_ptr<Work> work_;
};

}  // namespace umbel::survey
