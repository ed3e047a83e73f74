// runc's command line: options of its own, a command's name, the command's options and words. What
// goes wrong is said once, in the log and on standard error.
#include <stdlib.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "cli/oci/commands.h"
#include "container/hooks.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/reexec.h"

namespace umbel::cli::oci {

namespace {

constexpr std::array commands{
    &create_command,     &run_command,    &start_command,  &state_command, &kill_command,
    &delete_command,     &list_command,   &ps_command,     &exec_command,  &pause_command,
    &resume_command,     &update_command, &events_command, &spec_command,  &features_command,
    &checkpoint_command, &restore_command};

struct Values {
  std::string root, log, log_format = "text", rootless = "auto";
  bool debug = false, systemd = false, help = false, version = false;
};

std::vector<Option> table(Values& v) {
  return {
      {"root", 0, "DIR", "where the containers' states are kept", &v.root},
      {"log", 0, "FILE", "the log, instead of standard error", &v.log},
      {"log-format", 0, "text|json", "how the log is written (text)", &v.log_format},
      {"debug", 0, "", "log more", &v.debug},
      {"systemd-cgroup", 0, "", "cgroups from systemd; not supported yet", &v.systemd},
      {"rootless", 0, "true|false|auto", "accepted; umbel looks for itself", &v.rootless},
      {"help", 'h', "", "shows this", &v.help},
      {"version", 'v', "", "shows the version", &v.version},
  };
}

// As runc's users expect it: where only the caller can write, and what is gone after a reboot.
std::string default_root() {
  const char* runtime = ::secure_getenv("XDG_RUNTIME_DIR");
  if (!is_host_root() && runtime != nullptr) return std::string(runtime) + "/umbel-oci";
  return "/run/umbel-oci";
}

std::string help_text(std::span<const Option> options) {
  std::string text =
      "umbel-oci - an OCI runtime with the command line of runc\n\n"
      "Usage: umbel-oci [OPTION...] COMMAND [OPTION...] [ARGUMENT...]\n\nCommands:\n";
  for (const Command* command : commands) {
    std::string line = "   " + std::string(command->name);
    line.resize(13, ' ');
    text += line + std::string(command->what) + "\n";
  }
  return text + "\nOptions:\n" + options_text(options);
}

Result<const Command*> find_command(const std::string& name) {
  const auto* found = std::ranges::find(commands, name, &Command::name);
  if (found != commands.end()) return *found;
  std::vector<std::string_view> names;
  for (const Command* command : commands) names.push_back(command->name);
  const auto meant = nearest(name, names);
  return fail("there is no command " + name,
              meant ? "did you mean " + std::string(*meant) + "?" : "umbel-oci --help lists them");
}

struct Parsed {
  Values values;
  Words rest;
  std::string help;
};
Result<Parsed> parse_global(Words args) {
  Parsed parsed;
  const std::vector<Option> options = table(parsed.values);
  parsed.rest = TRY(parse(args, options));
  parsed.help = help_text(options);
  return parsed;
}

Result<int> show_version() {
  TRY(print("umbel-oci version " UMBEL_VERSION "\nspec: " + std::string(container::specification)));
  return 0;
}

Result<int> run(const Global& global, const Command& command, Words words, const Values& values) {
  if (values.systemd)
    return fail("--systemd-cgroup: cgroups from systemd are not supported yet",
                "set the engine's cgroup driver to cgroupfs");
  return command.run(global, command, words);
}

}  // namespace

Result<int> show_help(const Command& command, std::span<const Option> options) {
  TRY(print("umbel-oci " + std::string(command.name) + " - " + std::string(command.what) +
            "\n\nUsage: umbel-oci " + std::string(command.name) + " [OPTION...] " +
            std::string(command.arguments) + "\n\nOptions:\n" + options_text(options)));
  return 0;
}

Result<void> print(std::string_view text) {
  return sys::write_all(standard_out, std::string(text) + (text.ends_with('\n') ? "" : "\n"));
}

}  // namespace umbel::cli::oci

namespace umbel::cli {

int oci_main(Words args) {
  using namespace oci;
  Log log = *Log::open("", "text");
  Result<Parsed> parsed = parse_global(args.subspan(1));
  int failed = 1;
  const auto code = [&]() -> Result<int> {
    if (!parsed) return Failure(parsed.error());
    const Values& values = parsed->values;
    if (values.version) return show_version();
    if (values.help || parsed->rest.empty() || parsed->rest.front() == "help") {
      TRY(print(parsed->help));
      return 0;
    }
    log = TRY(Log::open(values.log, values.log_format));
    log.debugging = values.debug;
    const Command* command = TRY(find_command(parsed->rest.front()));
    failed = command->failed;
    if (command->enters == Enters::yes) TRY(sys::protect_own_file(args));
    const Global global{.root = values.root.empty() ? default_root() : values.root, .log = log};
    return oci::run(global, *command, parsed->rest.subspan(1), values);
  }();
  if (code) return *code;
  log.error(code.error());
  return failed;
}

}  // namespace umbel::cli
