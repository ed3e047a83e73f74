#include <array>
#include <map>

#include "base/text.h"
#include "cli/umbel/help.h"

namespace umbel::cli {

namespace {

// What the shell completes for a value or an operand, by what help calls it.
std::string_view completion_of(std::string_view argument) {
  struct Known {
    std::string_view argument, action;
  };
  static constexpr std::array known = std::to_array<Known>({
      {"CONTAINER...", "containers"},
      {"[CONTAINER]...", "containers"},
      {"CONTAINER", "containers"},
      {"CONTAINER NAME", "containers"},
      {"CONTAINER COMMAND [ARG]...", "containers"},
      {"[--] COMMAND [ARG]...", "commands"},
      {"FROM TO", "places"},
      {"FILE", "files"},
      {"FILE|off", "files"},
      {"SOURCE:PATH[:OPTIONS]", "files"},
      {"DEVICE[:PATH[:rwm]]", "files"},
      {"DIR", "directories"},
      {"SOURCE", "sources"},
      {"SIGNAL", "signals"},
      {"NAME...", "namespaces"},
      {"NAME... -- COMMAND [ARG]...", "namespaces"},
      {"KIND NAME", "kinds"},
      {"KIND", "kinds"},
      {"USERNS", "namespaces"},
      {"PID|PATH", "files"},
      {"[COMMAND]", "names"},
  });
  for (const Known& one : known)
    if (one.argument == argument) return one.action;
  return "nothing";
}

// A colon parts words for bash: after "with:" it is a word of its own.
constexpr std::string_view completion_body = R"bash(_umbel_complete() {
  case $1 in
    files) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
    directories) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
    commands) mapfile -t COMPREPLY < <(compgen -c -- "$2") ;;
    nothing) ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$(_umbel_words "$1")" -- "$2") ;;
  esac
  if [[ $1 == places ]]; then
    compopt -o filenames
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$2")
  fi
  if [[ ${COMPREPLY[*]} == *: ]]; then compopt -o nospace; fi
}

_umbel() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  local command=${COMP_WORDS[1]} options='' operands=nothing value
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _umbel_complete names "$word"
    return
  fi
  if value=$(_umbel_family "$command"); then
    if ((COMP_CWORD == 2)); then
      mapfile -t COMPREPLY < <(compgen -W "$value" -- "$word")
      return
    fi
    command+=" ${COMP_WORDS[2]}"
  fi
  local source=${COMP_WORDS[COMP_CWORD - 2]}
  if [[ $word == : ]]; then
    source=$before word='' before=:
  fi
  if [[ $before == : && $source == ns ]]; then
    _umbel_complete namespaces "$word"
    return
  elif [[ $before == : ]]; then
    _umbel_complete containers "$word"
    return
  fi
)bash";
constexpr std::string_view completion_end =
    R"bash(  if value=$(_umbel_value "$command:$before"); then
    _umbel_complete "$value" "$word"
  elif [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  else
    _umbel_complete "$operands" "$word"
  fi
}
complete -F _umbel umbel
)bash";

}  // namespace

std::string bash_completion() {
  std::string names;
  std::string cases;
  std::map<std::string, std::string> families;
  std::string valued;
  for (const Command& command : commands()) {
    const std::string name(command.name);
    if (const auto halves = cut(name, ' ')) {
      std::string& family = families[std::string(halves->before)];
      family += (family.empty() ? "" : " ") + std::string(halves->after);
    } else {
      names += (names.empty() ? "" : " ") + name;
    }
    const Syntax syntax = command.verb->syntax();
    std::string options = "--help";
    for (const Section& section : syntax.sections)
      for (const Option& option : section.options) {
        options += " --" + std::string(option.name);
        if (option.argument.empty()) continue;
        std::string pattern = "'" + name + ":--" + std::string(option.name) + "'";
        if (option.letter != 0)
          pattern += " | '" + name + ":-" + std::string(1, option.letter) + "'";
        valued +=
            "    " + pattern + ") echo " + std::string(completion_of(option.argument)) + " ;;\n";
      }
    cases += "    '" + name + "') options='" + options +
             "' operands=" + std::string(completion_of(syntax.operands.usage)) + " ;;\n";
  }
  std::string of_families;
  for (const auto& [family, members] : families) {
    names += " " + family;
    of_families += "    " + family + ") echo '" + members + "' ;;\n";
  }
  return "# bash completion for umbel; made by `umbel help --completion`.\n"
         "_umbel_value() {\n  case $1 in\n" +
         valued +
         "    *) return 1 ;;\n  esac\n}\n\n"
         "_umbel_family() {\n  case $1 in\n" +
         of_families +
         "    *) return 1 ;;\n  esac\n}\n\n"
         "_umbel_words() {\n"
         "  case $1 in\n"
         "    containers) umbel ps -aq 2>/dev/null ;;\n"
         "    places) umbel ps -aq 2>/dev/null | sed 's/$/:/' ;;\n"
         "    namespaces) umbel ns list -q 2>/dev/null ;;\n"
         "    kinds) echo user mnt pid net ipc uts cgroup time ;;\n"
         "    sources) echo new host with: ns: ;;\n"
         "    signals) echo HUP INT QUIT KILL USR1 USR2 TERM CONT STOP WINCH ;;\n"
         "    names) echo '" +
         names +
         "' ;;\n"
         "  esac\n"
         "}\n\n" +
         std::string(completion_body) + "  case $command in\n" + cases + "  esac\n" +
         std::string(completion_end);
}

}  // namespace umbel::cli
