#include "cli/oci/commands.h"

namespace umbel::cli::oci {

namespace {

using container::Container;

struct NoValues {};
std::vector<Option> no_table(NoValues&) { return {}; }

template <Result<void> (*act)(Container&)>
Result<int> on_running(const Global& global, const NoValues&, Words words) {
  Container container = TRY(find(global, TRY(only_id(words))));
  TRY(container.lock());
  if (!container.is_running())
    return fail("container not running: " + container.name() + " is " +
                std::string(status_word(container.status())));
  TRY(act(container));
  return 0;
}

}  // namespace

const Command pause_command{"pause", "ID", "stop all processes of a container for a while",
                            with_options<NoValues, no_table, on_running<container::pause>>};
const Command resume_command{"resume", "ID", "let a paused container run on",
                             with_options<NoValues, no_table, on_running<container::resume>>};

}  // namespace umbel::cli::oci
