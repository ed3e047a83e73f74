// The commands of `umbel-oci`, one array; each has its own file.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/oci/log.h"
#include "cli/oci/options.h"
#include "container/lifecycle.h"

namespace umbel::cli::oci {

// What precedes the command's name.
struct Global {
  std::string root;
  Log log;
};

// Whether a process of umbel is seen by the container for a moment, which could then write to the
// file that it runs.
enum class Enters { no, yes };

struct Command {
  std::string_view name, arguments, what;
  Result<int> (*run)(const Global& global, const Command& self, Words words);  // the exit code
  Enters enters = Enters::no;
  int failed = 1;  // the exit code of its own failures
};

// Prints how the command is called.
Result<int> show_help(const Command& command, std::span<const Option> options);

// Reads the options into a record and hands over the words that are left.
template <class Values, std::vector<Option> (*table)(Values&),
          Result<int> (*act)(const Global&, const Values&, Words)>
Result<int> with_options(const Global& global, const Command& self, Words words) {
  Values values;
  bool help = false;
  std::vector<Option> options = table(values);
  options.push_back({"help", 'h', "", "shows this", &help});
  const Words rest = TRY(parse(words, options));
  if (help) return show_help(self, options);
  return act(global, values, rest);
}

// The only word, which is a container's id; else an error.
Result<std::string> only_id(Words words);
// One that exists; its config and state are as they are now.
Result<container::Container> find(const Global& global, const std::string& id);
// "created", "running", "paused" or "stopped"; "creating" while it is made.
std::string_view status_word(container::Status status);

// Root of the host, and not only of a user namespace.
bool is_host_root();

// Standard output, a line each.
Result<void> print(std::string_view text);

extern const Command create_command, run_command, start_command, state_command, kill_command,
    delete_command, list_command, ps_command, exec_command, pause_command, resume_command,
    update_command, events_command, spec_command, features_command, checkpoint_command,
    restore_command;

}  // namespace umbel::cli::oci
