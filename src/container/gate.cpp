// A socket rather than a FIFO, so that the answer comes back on the same way: whoever starts the
// container reads end of file when the command executes, or the error that stopped it.
//
// pid_namespaces(7): signals of the default action do not reach a first process, so it has to look
// at them itself; one that waits here should end by SIGTERM like any program.
#include "container/gate.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <string>

#include "container/talk.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/process.h"

namespace umbel::container {

namespace {

constexpr const char* name = "gate";

// By the descriptor's own path: a container's directory may lie deeper than the 108 bytes of a
// socket's address reach.
std::string path_of(FdRef directory) {
  return "/proc/self/fd/" + std::to_string(directory.number()) + "/" + name;
}

constexpr std::array ending{SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE};

}  // namespace

Result<Fd> make_gate(FdRef directory) { return sys::listen_at(path_of(directory)); }

Result<Fd> wait_at_gate(FdRef gate) {
  sigset_t set{};
  sigemptyset(&set);
  for (const int signal : ending) sigaddset(&set, signal);
  const Fd signals = TRY(sys::signal_descriptor(set));
  for (;;) {
    std::array<pollfd, 2> watched{{{gate.number(), POLLIN, 0}, {signals.number(), POLLIN, 0}}};
    if (::poll(watched.data(), watched.size(), -1) < 0) continue;
    if ((watched[1].revents & POLLIN) != 0) {
      const int signal = TRY(sys::next_signal(signals));
      _exit(128 + signal);
    }
    if ((watched[0].revents & POLLIN) != 0) return sys::accept(gate);
  }
}

Result<void> open_gate(FdRef directory, const OnListener& listener) {
  const Fd waiting = TRY(sys::connect_to(path_of(directory)));
  for (bool ready = false;;) {
    const Heard heard = TRY(hear(waiting));
    if (heard.closed && ready) break;
    if (heard.closed) return fail("the container's first process was killed before it could start");
    if (heard.word == Word::ready) ready = true;
    if (heard.word == Word::listener) TRY(listener(waiting, heard));
  }
  (void)sys::remove_file(directory, name);
  return {};
}

}  // namespace umbel::container
