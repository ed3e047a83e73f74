#include "cli/umbel/commands.h"
#include "cli/umbel/containers.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> names;
};

Syntax pause_syntax(Options& o) {
  return {.operands = {"CONTAINER...", 1, any_number, &o.names},
          .about = "By its cgroup: the processes do not notice, and keep their memory.",
          .examples = {{"umbel pause build", "until umbel resume build"}}};
}

Result<int> pause(const Options& o) { return for_each(o.names, "pause", container::pause); }

Syntax resume_syntax(Options& o) {
  return {.operands = {"CONTAINER...", 1, any_number, &o.names},
          .examples = {{"umbel resume build", "where it was paused"}}};
}

Result<int> resume(const Options& o) { return for_each(o.names, "resume", container::resume); }

}  // namespace

const Verb pause_verb = verb<Options, pause_syntax, pause>;
const Verb resume_verb = verb<Options, resume_syntax, resume>;

}  // namespace umbel::cli
