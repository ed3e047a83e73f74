#include "console/attach.h"

#include "cli/umbel/commands.h"
#include "cli/umbel/containers.h"
#include "sys/channel.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> names;
  bool no_input = false;
  std::string keys;
};

Syntax syntax(Options& o) {
  return {.sections = {{"",
                        {{"no-stdin", 0, "", "only look: pass no input on", &o.no_input},
                         {"detach-keys", 0, "KEYS",
                          "leave a terminal with these; without it ctrl-p,ctrl-q", &o.keys}}}},
          .operands = {"CONTAINER", 1, 1, &o.names},
          .about =
              "Several can be attached at once. Ends as the container ends. Leave a terminal "
              "with the detach keys; without a terminal, Ctrl-C ends the looking alone.",
          .examples = {{"umbel attach shell", "back to where ctrl-p ctrl-q left it"}}};
}

Result<int> act(const Options& o) {
  const std::string keys = TRY(detach_keys(o.keys));
  const container::Home home = TRY(container::Home::open());
  container::Container container = TRY(home.find(o.names.front()));
  TRY(container.init());
  if (!container.state.logged)
    return fail(container.name() +
                    " runs in the foreground of another umbel, with its input and "
                    "output",
                "run it with -d or -it to attach to it later");
  const Fd socket = TRY(advise(
      "its monitor may have been killed: umbel restart " + container.name(),
      during("attaching to " + container.name(), sys::connect_to(container.path("attach")))));
  const bool input = container.config.process.interactive && !o.no_input;
  return serve_attached(container, socket, input ? Input::passed : Input::none, keys);
}

}  // namespace

const Verb attach_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
