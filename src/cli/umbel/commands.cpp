#include "cli/umbel/commands.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"
#include "cli/faces.h"
#include "cli/umbel/help.h"
#include "cli/umbel/output.h"
#include "sys/reexec.h"

namespace umbel::cli {

namespace {

constexpr std::array group_list = std::to_array<GroupInfo>({
    {Group::start, "run", "Start and end"},
    {Group::save, "save", "Save and bring back"},
    {Group::inside, "inside", "Go inside"},
    {Group::look, "look", "Look"},
    {Group::change, "change", "Change"},
    {Group::names, "ns", "Namespaces with names"},
    {Group::host, "host", "This host"},
});

using enum Group;

constexpr std::array command_list = std::to_array<Command>({
    {"run", "", start, "run a command in a new container", Starts::yes, &run_verb},
    {"create", "", start, "make a container without starting it", Starts::no, &create_verb},
    {"start", "", start, "start containers that were created or have ended", Starts::yes,
     &start_verb},
    {"stop", "", start, "end containers: their stop signal, then SIGKILL", Starts::no, &stop_verb},
    {"restart", "", start, "stop containers and start them again", Starts::yes, &restart_verb},
    {"kill", "", start, "send a signal to containers", Starts::no, &kill_verb},
    {"wait", "", start, "wait for containers to end, and print their exit codes", Starts::no,
     &wait_verb},
    {"pause", "", start, "freeze all processes of containers", Starts::no, &pause_verb},
    {"resume", "unpause", start, "let paused containers go on", Starts::no, &resume_verb},
    {"rm", "", start, "remove containers", Starts::no, &rm_verb},
    {"exec", "", inside, "run a further command in a container", Starts::yes, &exec_verb},
    {"attach", "", inside, "connect to the input and output of a container", Starts::no,
     &attach_verb},
    {"cp", "", inside, "copy files into a container or out of it", Starts::no, &cp_verb},
    {"ps", "list", look, "list containers", Starts::no, &ps_verb},
    {"show", "inspect", look, "show a container: its namespaces, who shares them, limits, mounts",
     Starts::no, &show_verb},
    {"graph", "", look, "show which containers share which namespaces", Starts::no, &graph_verb},
    {"logs", "", look, "print the output of a detached container", Starts::no, &logs_verb},
    {"top", "", look, "list the processes of a container", Starts::no, &top_verb},
    {"stats", "", look, "show what containers use, once a second", Starts::no, &stats_verb},
    {"diff", "", look, "list the files that a container has changed", Starts::no, &diff_verb},
    {"checkpoint", "", save, "save a running container, so that it can be brought back later",
     Starts::no, &checkpoint_verb},
    {"restore", "", save, "bring a container back that was saved", Starts::yes, &restore_verb},
    {"clone", "", save, "bring a container back several times from one image", Starts::yes,
     &clone_verb},
    {"image", "", save, "show what a checkpoint holds, or whether it is whole", Starts::no,
     &image_verb},
    {"update", "", change, "change the limits and namespaces of containers", Starts::no,
     &update_verb},
    {"rename", "", change, "give a container another name", Starts::no, &rename_verb},
    {"check", "", look, "judge running containers by a policy, and say what would cure them",
     Starts::no, &check_verb},
    {"policy", "", host, "list and explain policies", Starts::no, &policy_verb},
    {"ns create", "", names, "make a namespace and keep it under a name", Starts::no,
     &ns_create_verb},
    {"ns list", "ns ls", names, "list the namespaces that have names", Starts::no, &ns_list_verb},
    {"ns show", "", names, "show a namespace: its settings, owner and users", Starts::no,
     &ns_show_verb},
    {"ns exec", "", names, "run a command in one or several of them", Starts::yes, &ns_exec_verb},
    {"ns adopt", "", names, "give a name to a namespace that something else has made", Starts::no,
     &ns_adopt_verb},
    {"ns rm", "", names, "take names away, and end what nobody uses", Starts::no, &ns_rm_verb},
    {"info", "", host, "show what this host offers and lacks, and what to do about it", Starts::no,
     &info_verb},
    {"version", "", host, "print umbel's version", Starts::no, &version_verb},
    {"help", "", host, "explain a command", Starts::no, &help_verb},
});

// As people know from Docker: 127 for a command that is not there, 126 for one that can't be
// executed, 125 for all else that is not the command's own doing.
int exit_code(const Error& error) {
  if (!error.call.starts_with("execve")) return 125;
  return error.code == ENOENT || error.code == ENOTDIR ? 127 : 126;
}

Result<int> dispatch(Words args) {
  if (args.size() < 2 || args[1] == "--help" || args[1] == "-h") {
    TRY(print(overview()));
    return 0;
  }
  if (args[1] == "--version") return version_verb.run(*command_named("version"), {});
  const Words words = args.subspan(1);
  const auto [command, used] = command_at(words);
  if (command == nullptr && is_family(words[0]) && words.size() > 1 && !words[1].starts_with('-'))
    return unknown_command(words[0] + " " + words[1]);
  if (command == nullptr && is_family(words[0])) {
    TRY(print(overview(words[0])));
    return 0;
  }
  if (command == nullptr) return unknown_command(words[0]);
  if (command->starts == Starts::yes) TRY(sys::protect_own_file(args));
  return command->verb->run(*command, words.subspan(used));
}

}  // namespace

std::span<const GroupInfo> groups() { return group_list; }
std::span<const Command> commands() { return command_list; }

const Command* command_named(std::string_view name) {
  for (const Command& command : command_list)
    if (command.name == name || (!command.alias.empty() && command.alias == name)) return &command;
  return nullptr;
}

Chosen command_at(Words words) {
  if (words.size() > 1)
    if (const Command* command = command_named(words[0] + " " + words[1])) return {command, 2};
  return {words.empty() ? nullptr : command_named(words[0]), 1};
}

bool is_family(std::string_view name) {
  return std::ranges::any_of(command_list, [&](const Command& command) {
    return command.name.size() > name.size() && command.name.starts_with(name) &&
           command.name[name.size()] == ' ';
  });
}

Failure unknown_command(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Command& command : command_list)
    for (const std::string_view known : {command.name, command.alias})
      if (!known.empty()) names.push_back(known);
  const auto meant = nearest(name, names);
  return fail("there is no command '" + std::string(name) + "'",
              meant ? "did you mean umbel " + std::string(*meant) + "?" : "umbel help lists them");
}

Result<int> show_help(const Command& command, const Syntax& syntax) {
  TRY(print(help_text(command, syntax)));
  return 0;
}

int umbel_main(Words args) {
  const Result<int> outcome = dispatch(args);
  if (outcome) return *outcome;
  const Command* command = command_at(args.empty() ? args : args.subspan(1)).command;
  report(command != nullptr ? command->name : "", outcome.error());
  return exit_code(outcome.error());
}

}  // namespace umbel::cli
