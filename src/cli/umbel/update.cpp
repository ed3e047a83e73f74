#include <algorithm>
#include <array>

#include "cli/umbel/commands.h"
#include "cli/umbel/containers.h"
#include "cli/umbel/limits.h"
#include "cli/umbel/output.h"
#include "cli/umbel/promise.h"
#include "cli/umbel/run_options.h"
#include "container/rearrange.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> names;
  LimitOptions limits;
  std::array<Text, ns::kind_count> kinds;  // by ns::index
  bool force = false;
};

Section namespaces(Options& o) {
  Section section{"Namespaces: SOURCE is new, host, with:CONTAINER, ns:NAME or ns:/PATH", {}};
  for (const ns::KindInfo& kind : ns::kinds)
    section.options.push_back(
        {kind.option, 0, "SOURCE", kind.what, &o.kinds.at(ns::index(kind.kind))});
  return section;
}

Syntax syntax(Options& o) {
  return {
      .sections = {limit_section(o.limits),
                   namespaces(o),
                   {"Policy",
                    {{"force", 0, "", "even if it breaks the container's policy; it is recorded",
                      &o.force}}}},
      .operands = {"CONTAINER...", 1, any_number, &o.names},
      .about =
          "Limits are in force at once where it runs, and at its next start.\n\n"
          "Namespaces too, as far as the kernel goes: it lets no process be moved by another. So "
          "of a running container net, ipc, uts, mnt and cgroupns can be changed, for what umbel "
          "exec starts from then on; its other processes stay where they are until the next "
          "start. A new one gets the container's name (umbel ns list). pid, userns and time are "
          "those of its first process: stop it to change them.",
      .examples = {{"umbel update --memory 1g --cpus 2 web", "two limits"},
                   {"umbel update --pids-limit -1 web", "one limit less"},
                   {"umbel update --net ns:lab web", "into the network lab"},
                   {"umbel update --ipc with:db --uts host web",
                    "share one kind with db, and leave another"}}};
}

Result<container::Moves> moves_of(const Options& o) {
  container::Moves moves;
  for (const ns::KindInfo& kind : ns::kinds)
    if (const Text& text = o.kinds.at(ns::index(kind.kind)))
      moves[std::string(kind.option)] = TRY(ns::parse_source(kind, *text));
  return moves;
}

// What it promised, and what those promised whom it would join.
Result<void> check_moves(container::Container& container, const container::Moves& moves,
                         Force force) {
  container::Config wanted = container.config;
  container::Config joining;
  for (const auto& [option, source] : moves) {
    const ns::Kind kind = *ns::kind_named(option);
    wanted.namespaces[kind] = joining.namespaces[kind] = source;
  }
  const std::optional<policy::Policy> policy = TRY(promise_of(container));
  TRY(check_joins(TRY(container.home()), joining, policy, force));
  if (!policy) return {};
  const std::vector<policy::Refusal> before = policy::contradictions(*policy, container.config);
  for (const policy::Refusal& refusal : policy::contradictions(*policy, wanted))
    if (std::ranges::find(before, refusal.what, &policy::Refusal::what) == before.end())
      TRY(hold_to(container, refusal, force));
  return {};
}

Result<int> act(const Options& o) {
  const container::Moves moves = TRY(moves_of(o));
  if (any_limit(o.limits).empty() && moves.empty())
    return fail("there is nothing to change", "umbel help update lists what can be");
  const cgroup::Limits changes = TRY(parse_limits(o.limits));
  const Force force = o.force ? Force::yes : Force::no;
  return for_each(o.names, "update", [&](container::Container& container) -> Result<void> {
    TRY(check_moves(container, moves, force));
    if (!any_limit(o.limits).empty()) TRY(check_limits(container, changes, force));
    TRY(container.lock());
    if (!moves.empty())
      for (const std::string& text : TRY(container::rearrange(container, moves))) note(text);
    if (any_limit(o.limits).empty()) return {};
    return container::update(container, changes);
  });
}

}  // namespace

const Verb update_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
