// create, run and start. After create a container's first process waits with everything set up;
// start lets it go on. Nobody watches over it but whoever called: it becomes the child of the
// nearest subreaper, as engines want it.
#include "cli/oci/bundle.h"
#include "cli/oci/commands.h"
#include "cli/oci/started.h"
#include "console/attach.h"
#include "container/start.h"

namespace umbel::cli::oci {

namespace {

using container::Container;
using container::Launched;

struct Values {
  BundleOptions bundle;
  std::string console_socket, pidfd_socket, pid_file;
  std::optional<std::uint64_t> preserved;
  bool detach = false, keep = false, ignored = false;
};

void add(std::vector<Option>& options, Values& v) {
  options.push_back({"bundle", 'b', "DIR", "the bundle (the working directory)", &v.bundle.path});
  options.push_back({"console-socket", 0, "PATH", "gets the terminal's master", &v.console_socket});
  options.push_back(
      {"pidfd-socket", 0, "PATH", "gets a pidfd of the first process", &v.pidfd_socket});
  options.push_back({"pid-file", 0, "FILE", "gets the first process's pid", &v.pid_file});
  options.push_back({"no-pivot", 0, "", "for a root on the initramfs", &v.bundle.no_pivot});
  options.push_back(
      {"no-new-keyring", 0, "", "keep the caller's session keyring", &v.bundle.same_keyring});
  options.push_back({"preserve-fds", 0, "N", "pass N more descriptors, from 3 on", &v.preserved});
}

std::vector<Option> create_table(Values& v) {
  std::vector<Option> options;
  add(options, v);
  return options;
}

std::vector<Option> run_table(Values& v) {
  std::vector<Option> options;
  add(options, v);
  options.push_back({"detach", 'd', "", "do not wait for its end", &v.detach});
  options.push_back({"keep", 0, "", "do not delete it after its end", &v.keep});
  options.push_back({"no-subreaper", 0, "", "accepted: umbel waits for its own child", &v.ignored});
  return options;
}

struct Made {
  Container container;
  Launched launched;
};

Result<void> hand_out(const Made& made, const Values& v) {
  if (!v.console_socket.empty()) TRY(send_console(v.console_socket, made.launched.terminal));
  TRY(send_pidfd(v.pidfd_socket, made.launched.init.pidfd()));
  return write_pid_file(v.pid_file, made.launched.init.pid());
}

// On an error nothing is left.
enum class Then { wait, run };  // at its gate, or at once
struct Making {
  std::string id;
  bool detached = true;
  Then then = Then::wait;
};
Result<Made> make(const Global& global, const Values& v, const Making& making) {
  const auto& [id, detached, then] = making;
  const unsigned preserved = TRY(oci::preserved(v.preserved));
  const Bundle bundle = TRY(read(v.bundle, id));
  TRY(check({.wanted = bundle.config.process.terminal,
             .detached = detached,
             .socket = v.console_socket}));
  const container::Home home = TRY(container::Home::open(global.root));
  Result<Container> claimed = home.create(bundle.config);
  if (!claimed && claimed.error().code == EEXIST)
    return fail_with(EEXIST, "container with id exists: " + id, "choose another id, or delete it");
  Container container = TRY(std::move(claimed));
  const container::Start how{.preserved = preserved, .wait = then == Then::wait};
  Result<Launched> launched = container::start(container, how);
  if (launched) {
    Made made{std::move(container), std::move(*launched)};
    const Result<void> handed = hand_out(made, v);
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

Result<int> create(const Global& global, const Values& v, Words words) {
  const std::string id = TRY(only_id(words));
  Made made = TRY(make(global, v, {.id = id}));
  (void)made.launched.init.detach();
  return 0;
}

Result<void> release(const Global& global, Container& container) {
  for (const std::string& note : TRY(container::release(container))) global.log.warning(note);
  return {};
}

Result<sys::Exit> wait(Made& made, const container::SignalRelay& signals) {
  if (!made.launched.terminal) return signals.wait(made.launched.init);
  return console::relay(std::move(made.launched.init), made.launched.terminal,
                        {.terminal = true, .detach_keys = ""});
}

Result<int> run(const Global& global, const Values& v, Words words) {
  const std::string id = TRY(only_id(words));
  std::optional<container::SignalRelay> signals;
  if (!v.detach) signals = TRY(container::SignalRelay::open());
  Made made = TRY(make(global, v, {.id = id, .detached = v.detach, .then = Then::run}));
  if (v.detach) {
    (void)made.launched.init.detach();
    return 0;
  }
  made.container.unlock();
  const sys::Exit exit = TRY(wait(made, *signals));
  if (!v.keep) TRY(container::remove(made.container, container::Force::yes));
  return exit.code();
}

struct NoValues {};
std::vector<Option> no_table(NoValues&) { return {}; }

Result<int> start(const Global& global, const NoValues&, Words words) {
  Container container = TRY(find(global, TRY(only_id(words))));
  TRY(container.lock());
  TRY(release(global, container));
  return 0;
}

}  // namespace

const Command create_command{"create", "ID", "make a container that waits to be started",
                             with_options<Values, create_table, create>, Enters::yes};
const Command run_command{"run", "ID", "make and start a container, and wait for its end",
                          with_options<Values, run_table, run>, Enters::yes};
const Command start_command{"start", "ID", "start a container that was made by create",
                            with_options<NoValues, no_table, start>};

}  // namespace umbel::cli::oci
