// TIOCGPTPEER opens the slave from the master, without a path. A master opened through DEVPTS/ptmx
// makes its slave in just that devpts (Linux 4.7).
// Whoever ends with its terminal in raw mode leaves a shell in which nothing echoes. So signals
// that end the process restore it first: their handler may call tcsetattr (signal-safety(7)),
// and the signal acts when it returns, since SA_RESETHAND has put the default back.
#include "console/terminal.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>

#include <array>
#include <utility>

#include "sys/file.h"
#include "sys/signal.h"

namespace umbel::console {

namespace {

constexpr std::array ending = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGPIPE, SIGALRM,
                               SIGABRT, SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,  SIGTRAP,
                               SIGSYS,  SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ};

// What the handler needs; there is one terminal in raw mode at a time.
struct {
  int terminal = -1;
  termios before{};
  std::array<struct sigaction, ending.size()> actions{};
} raw;

void restore() {
  if (raw.terminal < 0) return;
  const FdRef terminal(raw.terminal);
  // In the background its modes are somebody else's by now.
  if (sys::is_in_foreground(terminal)) (void)sys::set_terminal_modes(terminal, raw.before);
}

void at_the_end(int signal) {
  const int code = errno;
  restore();
  ::raise(signal);  // blocked until this returns
  errno = code;
}

void catch_endings() {
  struct sigaction action{};
  action.sa_handler = at_the_end;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigfillset(&action.sa_mask);
  for (std::size_t i = 0; i < ending.size(); ++i) {
    ::sigaction(ending.at(i), nullptr, &raw.actions.at(i));
    // Who ignores or handles it does not end by it.
    if (raw.actions.at(i).sa_handler == SIG_DFL) ::sigaction(ending.at(i), &action, nullptr);
  }
}

void release_endings() {
  for (std::size_t i = 0; i < ending.size(); ++i)
    if (raw.actions.at(i).sa_handler == SIG_DFL)
      ::sigaction(ending.at(i), &raw.actions.at(i), nullptr);
}

}  // namespace

Result<Pty> open_pty(FdRef devpts) {
  if (TRY(sys::file_system(devpts)).f_type != DEVPTS_SUPER_MAGIC)
    return fail("/dev/pts is no devpts", "mount one, as containers have by default");
  Pty pty;
  pty.master = TRY(sys::open_beneath(devpts, "ptmx", O_RDWR | O_NOCTTY));
  TRY(sys::unlock_pty(pty.master));
  pty.slave = TRY(sys::open_pty_slave(pty.master));
  pty.slave_path = "/dev/pts/" + std::to_string(TRY(sys::pty_number(pty.master)));
  return pty;
}

Result<void> make_controlling(FdRef slave) { return sys::set_controlling_terminal(slave); }

Result<RawMode> RawMode::enter(FdRef terminal) {
  ensure(raw.terminal < 0, "one terminal in raw mode at a time");
  raw.before = TRY(sys::terminal_modes(terminal));
  RawMode mode;
  raw.terminal = terminal.number();
  catch_endings();
  TRY(mode.again());
  return mode;
}

RawMode::RawMode(RawMode&& other) noexcept : active_(std::exchange(other.active_, false)) {}

RawMode::~RawMode() {
  if (!active_) return;
  restore();
  raw.terminal = -1;
  release_endings();
}

void RawMode::leave() { restore(); }

Result<void> RawMode::again() {
  termios modes = raw.before;
  ::cfmakeraw(&modes);
  return sys::set_terminal_modes(FdRef(raw.terminal), modes);
}

}  // namespace umbel::console
