// The monitor of a detached container, in two lives. In the first it is a copy of the umbel that
// was called: it starts the container, so that it is its parent, and reports. In the second it has
// executed itself anew under the name umbel-monitor, which gives back all memory of the first, and
// serves the container's streams until the end. The container does not depend on it.
#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "base/text.h"
#include "console/log.h"
#include "console/monitor.h"
#include "container/lifecycle.h"
#include "container/process_id.h"
#include "container/start.h"
#include "container/talk.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/mount.h"

namespace umbel::container {

namespace {

// The descriptors that pass from the first life to the second, in the order of the arguments.
struct Kept {
  Fd init, listener, terminal, in, out, err, client;
  std::array<Fd*, 7> all() { return {&init, &listener, &terminal, &in, &out, &err, &client}; }
};

struct Ends {
  sys::Pipe in, out, err;
  Fd null;
};

Result<Ends> open_ends(const Process& process) {
  Ends ends;
  ends.null = TRY(sys::open(cwd, "/dev/null", O_RDWR));
  if (process.terminal) return ends;
  if (process.interactive) ends.in = TRY(sys::pipe());
  ends.out = TRY(sys::pipe());
  ends.err = TRY(sys::pipe());
  return ends;
}

Result<Kept> first_life(Container& container, const Revival* revival) {
  TRY(sys::new_session());
  const Process& process = container.config.process;
  Ends ends = TRY(open_ends(process));
  const Stdio stdio = process.terminal ? Stdio{ends.null, ends.null, ends.null}
                                       : Stdio{process.interactive ? ends.in.read : ends.null,
                                               ends.out.write, ends.err.write};
  Kept kept;
  container.state.logged = true;
  kept.listener = TRY(sys::listen_at(container.path("attach")));
  Launched launched = TRY(start(container, {.stdio = stdio, .revival = revival}));
  kept.init = launched.init.detach();
  kept.terminal = std::move(launched.terminal);
  kept.in = std::move(ends.in.write);
  kept.out = std::move(ends.out.read);
  kept.err = std::move(ends.err.read);
  for (int number = 0; number < 3; ++number) TRY(sys::install(ends.null, number));
  return kept;
}

// Returns only if it fails.
Error second_life(const Container& container, Kept kept) {
  const Home home = *container.home();
  std::vector<std::string> args{"umbel-monitor", container.name()};
  for (Fd* fd : kept.all()) {
    args.push_back(std::to_string(fd->number()));
    if (*fd) (void)sys::set_close_on_exec(*fd, false);
  }
  const Result<Fd> self = sys::open(cwd, "/proc/self/exe", O_PATH);
  if (!self) return self.error();
  (void)::chdir("/");
  return sys::execute(*self, args, std::vector<std::string>{"UMBEL_HOME=" + home.path()});
}

int monitor(Container& container, Fd client, FdRef channel, const Revival* revival) {
  Result<Kept> kept = first_life(container, revival);
  if (!kept) {
    (void)say_error(channel, kept.error());
    return 125;
  }
  kept->client = std::move(client);
  (void)say(channel, Word::ready);
  (void)second_life(container, std::move(*kept));
  return 125;
}

Result<void> serve(Container& container, Kept kept) {
  console::LogWriter log = TRY(console::LogWriter::open(container.path("log")));
  Result<void> finished;
  const auto ended = [&](const sys::Exit& exit) {
    if (log.lost() > 0)
      container.state.notes.push_back(size_text(log.lost()) +
                                      " of its output could not be written to its log");
    finished = finish(container, exit);
  };
  TRY(console::serve({.terminal = std::move(kept.terminal),
                      .in = std::move(kept.in),
                      .out = std::move(kept.out),
                      .err = std::move(kept.err)},
                     kept.listener, log, kept.init,
                     {.first = std::move(kept.client), .ended = ended}));
  return finished;
}

Result<void> start_monitor(Container& container, Fd client, const Revival* revival) {
  sys::Channel channel = TRY(sys::channel());
  sys::Process monitoring = TRY(sys::start({}, [&] {
    channel.ours.close();
    return monitor(container, std::move(client), channel.theirs, revival);
  }));
  channel.theirs.close();
  const Heard heard = TRY(hear(channel.ours));
  if (heard.closed)
    return fail("the monitor of " + container.name() + " was killed while it started");
  for (bool gone = false; !gone;)
    gone = TRY(hear(channel.ours)).closed;  // it executes: all is recorded
  (void)monitoring.detach();
  // With --rm it may have ended and be gone already.
  if (container.lock()) container.unlock();
  return {};
}

}  // namespace

Result<void> start_detached(Container& container, const Revival* revival) {
  return start_monitor(container, Fd(), revival);
}

Result<Fd> start_attached(Container& container) {
  sys::Channel client = TRY(sys::channel());
  TRY(start_monitor(container, std::move(client.theirs), nullptr));
  return std::move(client.ours);
}

Result<Pipes> pipes(const Container& container) {
  Pipes found;
  if (!container.state.logged) return found;
  const std::string monitor = "/proc/" + std::to_string(container.state.monitor.pid.value());
  const std::string line = TRY(during("looking at the monitor of " + container.name(),
                                      sys::read_file(cwd, monitor + "/cmdline")));
  const auto args = split(line, '\0');
  Kept order;
  const auto link = [&](const Fd& wanted) -> std::string {
    const auto all = order.all();
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all.at(i) != &wanted || i + 2 >= args.size()) continue;
      const auto target = sys::readlink(cwd, monitor + "/fd/" + std::string(args[i + 2]));
      return target ? *target : std::string();
    }
    return {};
  };
  found.in = link(order.in);
  found.out = link(order.out);
  found.err = link(order.err);
  if (!is_alive(container.state.monitor))
    return fail("the monitor of " + container.name() + " has ended",
                "without it nobody can tell what the container's output belongs to");
  return found;
}

int monitor_main(const std::vector<std::string>& args) {
  Kept kept;
  if (args.size() != 2 + kept.all().size()) return 125;
  for (std::size_t i = 0; i < kept.all().size(); ++i)
    if (const auto fd = number(args[i + 2]); fd && *fd >= 0) {
      *kept.all().at(i) = Fd(static_cast<int>(*fd));
      (void)sys::set_close_on_exec(*kept.all().at(i), true);
    }
  (void)sys::set_process_name("umbel-monitor");
  const Result<Home> home = Home::open();
  Result<Container> container =
      home ? home->find(args[1]) : Result<Container>(Failure(home.error()));
  if (!container) return 125;
  const Result<void> served = serve(*container, std::move(kept));
  if (served) return 0;
  container->state.notes.push_back("its monitor failed: " + served.error().message());
  (void)container->save_state();
  return 125;
}

}  // namespace umbel::container
