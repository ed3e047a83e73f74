#include "cli/umbel/commands.h"
#include "cli/umbel/containers.h"
#include "cli/umbel/limits.h"
#include "cli/umbel/promise.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> names;
  LimitOptions limits;
  bool force = false;
};

Syntax syntax(Options& o) {
  return {.sections = {limit_section(o.limits),
                       {"Policy",
                        {{"force", 0, "",
                          "even if it breaks the container's policy; it is recorded", &o.force}}}},
          .operands = {"CONTAINER...", 1, any_number, &o.names},
          .about = "In force at once where it runs, and at its next start.",
          .examples = {{"umbel update --memory 1g --cpus 2 web", "two limits"},
                       {"umbel update --pids-limit -1 web", "one limit less"}}};
}

Result<int> act(const Options& o) {
  if (any_limit(o.limits).empty())
    return fail("there is no limit to change", "give one: umbel help update lists them");
  const cgroup::Limits changes = TRY(parse_limits(o.limits));
  return for_each(o.names, "update", [&](container::Container& container) -> Result<void> {
    TRY(check_limits(container, changes, o.force ? Force::yes : Force::no));
    TRY(container.lock());
    return container::update(container, changes);
  });
}

}  // namespace

const Verb update_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
