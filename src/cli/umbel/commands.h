// The commands of `umbel`, one array; each has its own file.
#pragma once

#include <span>
#include <string_view>

#include "base/error.h"
#include "cli/umbel/options.h"

namespace umbel::cli {

struct Command;

// What a command's file exports: how it is called, and what it does.
struct Verb {
  Syntax (*syntax)();
  Result<int> (*run)(const Command& self, Words words);  // the exit code
};

enum class Group { start, save, inside, look, change, names, host };
struct GroupInfo {
  Group group;
  std::string_view name, title;  // of its manual page, and as a heading
};
std::span<const GroupInfo> groups();

// Whether it starts processes inside a container: umbel's own file is protected from them first.
enum class Starts { no, yes };

// A name of two words is a command of a family: "ns create".
struct Command {
  std::string_view name, alias;
  Group group;
  std::string_view summary;
  Starts starts;
  const Verb* verb;
};
std::span<const Command> commands();
const Command* command_named(std::string_view name);
// The one that the words begin with, and how many of them name it.
struct Chosen {
  const Command* command = nullptr;
  std::size_t words = 0;
};
Chosen command_at(Words words);
// Whether it is the first word of commands that have two.
bool is_family(std::string_view name);
// The error of a name that is none.
Failure unknown_command(std::string_view name);

// Prints the help of the command; 0.
Result<int> show_help(const Command& command, const Syntax& syntax);

template <class Options, Syntax (*syntax_of)(Options&), Result<int> (*act)(const Options&)>
constexpr Verb verb{.syntax =
                        [] {
                          static Options unused;
                          return syntax_of(unused);
                        },
                    .run = [](const Command& self, Words words) -> Result<int> {
                      Options options;
                      const Syntax syntax = syntax_of(options);
                      if (TRY(parse(syntax, words)) == Asked::help) return show_help(self, syntax);
                      return act(options);
                    }};

extern const Verb run_verb, create_verb, start_verb, restart_verb, stop_verb, kill_verb, wait_verb,
    pause_verb, resume_verb, exec_verb, attach_verb, cp_verb, top_verb, ps_verb, show_verb,
    logs_verb, diff_verb, stats_verb, update_verb, rename_verb, rm_verb, ns_create_verb,
    ns_list_verb, ns_show_verb, ns_exec_verb, ns_adopt_verb, ns_rm_verb, info_verb, version_verb,
    help_verb, image_verb, checkpoint_verb, restore_verb, clone_verb, graph_verb, policy_verb,
    check_verb;

}  // namespace umbel::cli
