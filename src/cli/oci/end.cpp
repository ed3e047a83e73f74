// kill and delete. Engines tell by the words of an error what has become of a container.
#include <signal.h>

#include "cli/oci/commands.h"

namespace umbel::cli::oci {

namespace {

using container::Container;
using container::Status;

struct KillValues {
  bool all = false;
};
std::vector<Option> kill_table(KillValues& v) {
  return {{"all", 'a', "", "to every process of the container", &v.all}};
}

Result<void> send(Container& container, int signal, const KillValues& v) {
  const bool has_cgroup = !container.state.cgroup.empty();
  // What shares its pid namespace may outlive the first process.
  if (v.all && has_cgroup) return container.group().kill(signal);
  if (!container.is_running())
    return fail("container not running: " + container.name() + " is " +
                std::string(status_word(container.status())));
  TRY(container::kill(container, signal));
  // A frozen process can't die.
  if (signal == SIGKILL && container.status() == Status::paused) return container.group().thaw();
  return {};
}

Result<int> kill(const Global& global, const KillValues& v, Words words) {
  if (words.empty() || words.size() > 2)
    return fail("this command takes the container's id, and the signal (SIGTERM)");
  const int signal = words.size() == 2 ? TRY(container::parse_signal(words[1])) : SIGTERM;
  Container container = TRY(find(global, words[0]));
  TRY(send(container, signal, v));
  return 0;
}

struct DeleteValues {
  bool force = false;
};
std::vector<Option> delete_table(DeleteValues& v) {
  return {{"force", 'f', "", "kill it if it runs; one that does not exist is no error", &v.force}};
}

Result<int> remove(const Global& global, const DeleteValues& v, Words words) {
  Result<Container> found = find(global, TRY(only_id(words)));
  if (!found && found.error().code == ENOENT && v.force) return 0;
  Container container = TRY(std::move(found));
  // It waits for a creation that is under way.
  const Result<void> locked = container.lock();
  if (!locked && locked.error().code == ENOENT && v.force) return 0;
  TRY(Result<void>(locked));
  const Status now = container.status();
  if (!v.force && (now == Status::running || now == Status::paused))
    return fail("cannot delete container " + container.name() +
                    " that is not stopped: " + std::string(status_word(now)),
                "kill it first, or delete --force");
  TRY(container::remove(container, container::Force::yes));
  for (const std::string& note : container.state.notes) global.log.warning(note);
  return 0;
}

}  // namespace

const Command kill_command{"kill", "ID [SIGNAL]", "send a signal to a container's first process",
                           with_options<KillValues, kill_table, kill>};
const Command delete_command{"delete", "ID", "remove a container and all that belongs to it",
                             with_options<DeleteValues, delete_table, remove>};

}  // namespace umbel::cli::oci
