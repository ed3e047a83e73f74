// Policies as promises: what run asks for, what a container's record keeps of it, and who is held
// to it later.
#pragma once

#include <optional>
#include <string>

#include "cli/umbel/run_options.h"
#include "container/store.h"
#include "policy/asked.h"
#include "policy/policy.h"

namespace umbel::cli {

enum class Force { no, yes };

// The policy that the options name, with everything in them chosen that was not chosen by hand.
Result<std::optional<policy::Policy>> choose_by_policy(RunOptions& options);
// Hides what it hides, refuses what contradicts it, and writes it into the config.
Result<void> promise(const policy::Policy& policy, const RunOptions& options,
                     container::Config& config);
// The promise that a container keeps; nothing where it made none.
Result<std::optional<policy::Policy>> promise_of(const container::Container& container);

// Refuses what would break the promise of a container that the new one shares something with, or
// records it there.
Result<void> check_joins(const container::Home& home, const container::Config& config,
                         const std::optional<policy::Policy>& policy, Force force);
// Refuses, or records with the container.
Result<void> hold_to(container::Container& container, const std::optional<policy::Refusal>& refusal,
                     Force force);
// New limits against the promise.
Result<void> check_limits(container::Container& container, const cgroup::Limits& changes,
                          Force force);

}  // namespace umbel::cli
