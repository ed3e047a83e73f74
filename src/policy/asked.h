// Policies before anything happens: what a container is asked to be, who would join it, what would
// be started in it. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "container/config.h"
#include "policy/policy.h"

namespace umbel::policy {

struct Refusal {
  std::string what, cure;
};

// What a container of this policy has where nobody chose: new, host, with:X or ns:X; nothing where
// the policy does not care. `partner` is a container that it shares something of its group with
// already, or empty.
std::optional<std::string> choice(const Policy& policy, ns::Kind kind, const std::string& partner);

// Where the config contradicts the policy; all of it.
std::vector<Refusal> contradictions(const Policy& policy, const container::Config& config);

// A container of `policy` (if any) that would sit in `kind` together with `owner`, whose policy is
// `owners`.
std::optional<Refusal> against_joining(const Policy& owners, const std::string& owner,
                                       ns::Kind kind, const Policy* policy);

// A further program in a running container.
struct Further {
  bool privileged = false;
};
std::optional<Refusal> against_exec(const Policy& policy, const std::string& name,
                                    const Further& what);

// Whether a limit that a policy asks for is set.
bool has_limit(const cgroup::Limits& limits, std::string_view name);

}  // namespace umbel::policy
