#include "cli/umbel/version.h"

#include "cli/umbel/commands.h"
#include "cli/umbel/output.h"
#include "cli/umbel/records.h"

namespace umbel::cli {

namespace {

struct Options {
  bool json = false;
};

Syntax syntax(Options& o) {
  return {.sections = {{"", {{"json", 0, "", "as JSON", &o.json}}}},
          .examples = {{"umbel version", "umbel " UMBEL_VERSION}}};
}

Result<int> act(const Options& o) {
  if (o.json)
    TRY(print_json(VersionRecord{std::string(version)}));
  else
    TRY(print_line("umbel " + std::string(version)));
  return 0;
}

}  // namespace

const Verb version_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
