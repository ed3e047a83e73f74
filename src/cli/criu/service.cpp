// The service has more rights than its clients may have: it works for its own user alone, whatever
// the modes of its socket say. Each client has a process of its own, since a restore leaves
// children and a dump threads behind.
#include "cli/criu/service.h"

#include <poll.h>
#include <signal.h>

#include "base/text.h"
#include "cli/criu/work.h"
#include "cli/criu/worker.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/fork.h"
#include "sys/identity.h"
#include "sys/signal.h"
#include "sys/socket.h"
#include "sys/stream.h"

namespace umbel::cli::criu {

namespace {

constexpr const char* usual_address = "/run/criu_service.socket";

Result<void> admit(FdRef client) {
  const sys::Ids ids = TRY(sys::peer_ids(client));
  if (ids.uid == 0 || ids.uid == sys::own_uid()) return {};
  return fail_with(EPERM, "the service works for user " + std::to_string(sys::own_uid()) +
                              " alone, and user " + std::to_string(ids.uid) + " asks");
}

int work_for(const Fd& client, const Options& options) {
  sys::reset_signals();
  const Result<void> served = [&]() -> Result<void> {
    TRY(admit(client));
    return serve(client, options, Descriptors::apart);
  }();
  if (served) return 0;
  log_failure(options, served.error());
  return 1;
}

// Ends by SIGTERM or SIGINT; its clients are served to their end.
Result<void> listen_on(FdRef listener, const sys::SignalScope& signals, const Options& options) {
  for (;;) {
    std::array<pollfd, 2> watched{{{.fd = listener.number(), .events = POLLIN, .revents = 0},
                                   {.fd = signals.fd().number(), .events = POLLIN, .revents = 0}}};
    TRY(sys::wait_any(watched));
    if (watched[1].revents != 0) {
      TRY(signals.next());  // taken: it would act when the scope ends
      return {};
    }
    if (watched[0].revents == 0) continue;
    const Fd client = TRY(sys::accept(listener));
    sys::Process worker = TRY(sys::start_by_fork([&] { return work_for(client, options); }));
    (void)worker.detach();
  }
}

Result<void> to_background() {
  sys::Process child = TRY(sys::fork());
  if (child) {
    (void)child.detach();
    _exit(0);
  }
  TRY(sys::new_session());
  const Fd null = TRY(sys::open(cwd, "/dev/null", O_RDWR));
  for (const int number : {0, 1, 2}) TRY(sys::install(null, number));
  return {};
}

Result<void> go(FdRef listener, const Options& options) {
  if (options.restore_detached) TRY(to_background());
  const sys::SignalScope signals = TRY(sys::SignalScope::open(sys::signals_of({SIGTERM, SIGINT})));
  sys::ignore_signals(sys::signals_of({SIGCHLD}));  // so that nobody has to reap the workers
  TRY(write_pid_file(options, sys::own_pid()));
  if (options.status_descriptor >= 0)
    TRY(during("--status-fd",
               sys::write_all(FdRef(options.status_descriptor), std::string_view("\0", 1))));
  return listen_on(listener, signals, options);
}

}  // namespace

Result<int> service_worker(const Options& options) {
  const auto descriptor = number(options.words.front());
  if (!descriptor || *descriptor < 0)
    return fail("swrk: '" + options.words.front() + "' is no descriptor");
  const Fd socket(static_cast<int>(*descriptor));
  TRY(sys::set_close_on_exec(socket, true));
  TRY(serve(socket, options, Descriptors::inherited));
  return 0;
}

Result<int> service(const Options& options) {
  const std::string address = options.address.empty() ? usual_address : options.address;
  const Fd dir =
      TRY(during("--address", sys::open(cwd, directory_of(address), O_PATH | O_DIRECTORY)));
  const std::string name = address.substr(address.rfind('/') + 1);
  const Fd listener = TRY(during("--address", sys::listen_at(address)));
  constexpr mode_t own = 0600;
  TRY(sys::change_mode(dir, name, own));
  const Result<void> ended = go(listener, options);
  (void)sys::remove_file(dir, name);
  TRY(Result<void>(ended));
  return 0;
}

}  // namespace umbel::cli::criu
