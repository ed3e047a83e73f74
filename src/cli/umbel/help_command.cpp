#include "base/text.h"
#include "cli/umbel/commands.h"
#include "cli/umbel/help.h"
#include "cli/umbel/output.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> names;
  bool completion = false;
  std::optional<std::string> man;
};

Syntax syntax(Options& o) {
  return {.sections = {{"",
                        {{"man", 0, "PAGE", "print a manual page: umbel, or umbel-GROUP", &o.man},
                         {"completion", 0, "", "print what completes umbel's words in bash",
                          &o.completion}}}},
          .operands = {"[COMMAND]", 0, 2, &o.names},
          .examples = {{"umbel help run", "every option of run"},
                       {"umbel help --man umbel | man -l -", "the manual"}}};
}

Result<std::string> page(const std::string& name) {
  if (name == "umbel") return manual();
  for (const GroupInfo& group : groups())
    if (name == "umbel-" + std::string(group.name)) return manual(group);
  std::string names = "umbel";
  for (const GroupInfo& group : groups()) names += ", umbel-" + std::string(group.name);
  return fail("there is no manual page '" + name + "'", "one of " + names);
}

Result<int> act(const Options& o) {
  if (o.completion) {
    TRY(print(bash_completion()));
  } else if (o.man) {
    TRY(print(TRY(page(*o.man))));
  } else if (o.names.empty()) {
    TRY(print(overview()));
  } else {
    const auto [command, used] = command_at(o.names);
    if (command != nullptr && used == o.names.size())
      return show_help(*command, command->verb->syntax());
    if (o.names.size() > 1 || !is_family(o.names.front()))
      return unknown_command(join(o.names, " "));
    TRY(print(overview(o.names.front())));
  }
  return 0;
}

}  // namespace

const Verb help_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
