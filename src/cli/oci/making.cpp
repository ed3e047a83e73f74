// After it a container's first process waits with everything set up, runs, or has gone on where a
// checkpoint had stopped it. Nobody watches over it but whoever called: it becomes the child of the
// nearest subreaper, as engines want it.
#include "cli/oci/making.h"

#include "cli/oci/started.h"
#include "console/attach.h"
#include "container/start.h"

namespace umbel::cli::oci {

namespace {

using container::Container;
using container::Launched;

Result<void> hand_out(const Made& made, const Handing& handing) {
  if (!handing.console_socket.empty())
    TRY(send_console(handing.console_socket, made.launched.terminal));
  TRY(send_pidfd(handing.pidfd_socket, made.launched.init.pidfd()));
  return write_pid_file(handing.pid_file, made.launched.init.pid());
}

Result<Container> claim(const Global& global, const Bundle& bundle) {
  const container::Home home = TRY(container::Home::open(global.root));
  Result<Container> claimed = home.create(bundle.config);
  if (!claimed && claimed.error().code == EEXIST)
    return fail_with(EEXIST, "container with id exists: " + bundle.config.name,
                     "choose another id, or delete it");
  // For a checkpoint, which leaves them to whoever restores it.
  if (claimed && !bundle.config.process.terminal)
    claimed->state.descriptors = TRY(standard_descriptors());
  return claimed;
}

}  // namespace

Result<Made> make(const Global& global, const BundleOptions& options, const Handing& handing,
                  const Making& making) {
  const unsigned preserved = TRY(oci::preserved(making.preserved));
  const Bundle bundle = TRY(read(options, making.id));
  TRY(check({.wanted = bundle.config.process.terminal,
             .detached = making.detached,
             .socket = handing.console_socket}));
  Container container = TRY(claim(global, bundle));
  const container::Start how{
      .preserved = preserved, .revival = making.revival, .wait = making.then == Then::wait};
  Result<Launched> launched = container::start(container, how);
  if (launched) {
    Made made{std::move(container), std::move(*launched)};
    const Result<void> handed = hand_out(made, handing);
    if (handed) {
      for (const std::string& warning : bundle.warnings) global.log.warning(warning);
      for (const std::string& note : made.container.state.notes) global.log.warning(note);
      return made;
    }
    launched = Failure(handed.error());
    container = std::move(made.container);
  }
  (void)container::remove(container, container::Force::yes);
  return Failure(launched.error());
}

Result<sys::Exit> wait(Made& made, const container::SignalRelay& signals) {
  if (!made.launched.terminal) return signals.wait(made.launched.init);
  return console::relay(std::move(made.launched.init), made.launched.terminal,
                        {.terminal = true, .detach_keys = ""});
}

}  // namespace umbel::cli::oci
