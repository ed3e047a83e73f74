#include "cli/umbel/commands.h"
#include "cli/umbel/containers.h"

namespace umbel::cli {

namespace {

using container::Container;

struct Options {
  std::vector<std::string> names;
  std::string seconds = "10";
};

Option patience(Options& o) {
  return {"time", 't', "SECONDS", "how long it may take before it is killed; without it 10",
          &o.seconds};
}

Result<std::chrono::seconds> parse(const Options& o) {
  return std::chrono::seconds(TRY(during("--time", parse_seconds(o.seconds))));
}

Syntax stop_syntax(Options& o) {
  return {
      .sections = {{"", {patience(o)}}},
      .operands = {"CONTAINER...", 1, any_number, &o.names},
      .about =
          "Sends the stop signal of the container (TERM, unless it was run with "
          "--stop-signal), waits, and kills what is left.",
      .examples = {{"umbel stop web", "let it end"}, {"umbel stop -t 0 web", "kill it at once"}}};
}

Result<int> stop(const Options& o) {
  const std::chrono::seconds at_most = TRY(parse(o));
  return for_each(o.names, "stop", [&](Container& container) -> Result<void> {
    if (!container.is_running()) return {};
    return container::stop(container, at_most);
  });
}

Syntax restart_syntax(Options& o) {
  return {.sections = {{"", {patience(o)}}},
          .operands = {"CONTAINER...", 1, any_number, &o.names},
          .examples = {{"umbel restart web", "stop it if it runs, and start it"}}};
}

Result<int> restart(const Options& o) {
  const std::chrono::seconds at_most = TRY(parse(o));
  return for_each(o.names, "restart", [&](Container& container) -> Result<void> {
    if (container.is_running()) TRY(container::stop(container, at_most));
    TRY(container.lock());
    Result<void> started = container::start_detached(container);
    if (started) return {};
    return Failure(explain_command(std::move(started.error()), container.config));
  });
}

}  // namespace

const Verb stop_verb = verb<Options, stop_syntax, stop>;
const Verb restart_verb = verb<Options, restart_syntax, restart>;

}  // namespace umbel::cli
