// Running containers against a policy. Pure: what survey has found goes in, offenders with their
// cures come out.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "policy/policy.h"
#include "survey/facts.h"

namespace umbel::policy {

struct Offender {
  std::size_t container = 0;  // index into Host::containers
  HostPid pid;                // 0: none in particular
  int fd = -1;                // none
  std::string kind;           // of namespace, or what a fact is called
  std::string object, why, cure;
  // Containers that would have to be in the group; empty: no group helps.
  std::vector<std::size_t> with;
};

// Indices into Host::containers.
using Group = std::set<std::size_t>;

struct Verdict {
  std::vector<Offender> offenders;
  std::vector<Offender> external;  // declared to be no matter
  std::uint64_t along = 0;         // things shared within the group
  bool satisfied() const { return offenders.empty(); }
};

struct Question {
  const Policy& policy;
  const survey::Host& host;
  const survey::Facts& facts;
  const std::set<std::string>& external;  // objects that are declared to be no matter
};
Verdict judge(const Question& question, const Group& group);

// The smallest group with all of `group` in it that satisfies the policy.
struct Closure {
  std::optional<Group> group;
  std::vector<Offender> obstacles;  // why there is none: what no container can cure
  // Containers that would be in it, and of which the facts are not known yet: ask again with them.
  Group unknown;
};
Closure closure(const Question& question, const Group& group);

}  // namespace umbel::policy
