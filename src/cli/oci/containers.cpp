// What most commands begin with.
#include "base/text.h"
#include "cli/oci/commands.h"
#include "sys/file.h"
#include "sys/identity.h"

namespace umbel::cli::oci {

using container::Container;
using container::Status;

Result<std::string> only_id(Words words) {
  if (words.size() == 1 && !words[0].empty()) return words[0];
  return fail("this command takes exactly one argument, the container's id");
}

Result<Container> find(const Global& global, const std::string& id) {
  const container::Home home = TRY(container::Home::open(global.root));
  Result<Container> found = home.exactly(id);
  // Engines look for these words.
  if (!found && found.error().code == ENOENT)
    return fail_with(ENOENT, "container " + id + " does not exist",
                     "umbel-oci list shows what does");
  return found;
}

bool is_host_root() {
  if (sys::own_uid() != 0) return false;
  const Result<std::string> map = sys::read_file(cwd, "/proc/self/uid_map");
  const auto parts = map ? words(*map) : std::vector<std::string_view>();
  return parts.size() == 3 && parts[1] == "0" && parts[2] == "4294967295";
}

std::string_view status_word(Status status) {
  switch (status) {
    case Status::waiting:
      return "created";
    case Status::running:
      return "running";
    case Status::paused:
      return "paused";
    case Status::created:
      return "creating";
    case Status::exited:
    case Status::checkpointed:
    case Status::lost:
    case Status::incomplete:
      return "stopped";
  }
  return "stopped";
}

}  // namespace umbel::cli::oci
