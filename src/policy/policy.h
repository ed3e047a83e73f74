// What a policy says, as plain data: which namespaces a container may have, which limits it must
// have, what it may hold of the world outside, and whether it can be checkpointed. Rules are judged
// by run.h before a container is made and by verdict.h while it runs.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/record.h"
#include "ns/set.h"

namespace umbel::policy {

// own: nobody else is in it. group: the containers that are checked together, and nobody else.
// named: that source and no other. host: the one that umbel runs in. any: all of these.
enum class Need : std::uint8_t { own, group, named, host, any };
constexpr auto name_table(Need) {
  struct Entry {
    Need value;
    std::string_view name;
  };
  return std::to_array<Entry>({{Need::own, "own"},
                               {Need::group, "group"},
                               {Need::named, "named"},
                               {Need::host, "host"},
                               {Need::any, "any"}});
}
struct Accepted {
  Need need = Need::any;
  std::string source;  // named: as run writes it, "with:db" or "ns:lab"
  friend bool operator==(const Accepted&, const Accepted&) = default;
};
void fields(auto& archive, Accepted& a) {
  archive("need", a.need);
  archive("source", a.source);
}
std::string accepted_text(const Accepted& accepted);

// What a process may have in common with the world outside of its group.
enum class Reach : std::uint8_t {
  descriptors,
  memory,
  locks,
  terminals,
  tracers,
  mounts,
  devices,
  processes
};
struct ReachInfo {
  Reach reach;
  std::string_view name, what;
};
constexpr std::array reaches = std::to_array<ReachInfo>({
    {Reach::descriptors, "descriptors", "pipes and sockets whose other end is outside"},
    {Reach::memory, "memory", "memory shared with a process outside"},
    {Reach::locks, "locks", "locks on files that a process outside has locked too"},
    {Reach::terminals, "terminals", "terminals that belong to somebody outside"},
    {Reach::tracers, "tracers", "debuggers outside"},
    {Reach::mounts, "mounts", "files of the host, beside its root"},
    {Reach::devices, "devices", "devices beyond null, zero, full, random, urandom and terminals"},
    {Reach::processes, "processes", "processes that were started from outside, by exec"},
});
constexpr std::size_t reach_count = reaches.size();

struct Policy {
  std::string name, summary, use;
  bool checkpoint = false;  // everything inside must be of a kind that a checkpoint carries
  // By ns::index, each in the order of preference: the first is what run chooses. Empty: anything.
  std::array<std::vector<Accepted>, ns::kind_count> namespaces;
  std::map<std::string, std::string> limits;  // option to the value that run chooses; "" none
  std::array<bool, reach_count> closed{};     // by Reach: nothing of it may lead outside
  std::vector<std::string> hidden;            // paths of the host that must not be seen
  bool no_links = false;                      // its network has no link but loopback
  bool usual_rights = false;                  // no capability beyond the defaults, and a filter

  bool is_closed(Reach reach) const { return closed.at(static_cast<std::size_t>(reach)); }
  const std::vector<Accepted>& of(ns::Kind kind) const { return namespaces.at(ns::index(kind)); }
  bool accepts(ns::Kind kind, const Accepted& what) const;
};
void fields(auto& archive, Policy& p) {
  archive("name", p.name);
  archive("summary", p.summary);
  archive("use", p.use);
  archive("checkpoint", p.checkpoint);
  archive("namespaces", p.namespaces);
  archive("limits", p.limits);
  archive("closed", p.closed);
  archive("hidden", p.hidden);
  archive("noLinks", p.no_links);
  archive("usualRights", p.usual_rights);
}

// The limits that a policy can ask for, as the options of `umbel run`.
extern const std::array<std::string_view, 5> limit_names;

// A policy file. Errors give the line, and suggest where a word is misspelt.
Result<Policy> parse(const std::string& name, std::string_view toml);
// What all of them demand; an error where they contradict each other.
Result<Policy> compose(const std::vector<Policy>& policies);

// "own or group", "host", "anything".
std::string needs_text(const std::vector<Accepted>& accepted);

}  // namespace umbel::policy
