// A devpts knows which of its files a ptmx made: TIOCGPTPEER opens the slave of just this master,
// whatever is mounted where by now.
#include "sys/terminal.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sys/call.h"

namespace umbel::sys {

bool is_terminal(FdRef fd) { return ::isatty(fd.number()) == 1; }

bool is_pty_slave(FdRef fd) {
  struct stat found{};
  struct statfs system{};
  if (::fstat(fd.number(), &found) < 0 || ::fstatfs(fd.number(), &system) < 0) return false;
  const unsigned kind = major(found.st_rdev);
  return S_ISCHR(found.st_mode) && system.f_type == DEVPTS_SUPER_MAGIC &&
         kind >= UNIX98_PTY_SLAVE_MAJOR && kind < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT &&
         is_terminal(fd);
}

Result<WindowSize> window_size(FdRef terminal) {
  winsize size{};
  TRY(checked(::ioctl(terminal.number(), TIOCGWINSZ, &size), "ioctl", "TIOCGWINSZ"));
  return WindowSize{size.ws_row, size.ws_col};
}

Result<void> set_window_size(FdRef terminal, WindowSize size) {
  const winsize wanted{.ws_row = size.rows, .ws_col = size.columns};
  return checked(::ioctl(terminal.number(), TIOCSWINSZ, &wanted), "ioctl", "TIOCSWINSZ");
}

Result<termios> terminal_modes(FdRef terminal) {
  termios modes{};
  TRY(checked(::tcgetattr(terminal.number(), &modes), "tcgetattr"));
  return modes;
}

Result<void> set_terminal_modes(FdRef terminal, const termios& modes) {
  return checked(retried([&] { return ::tcsetattr(terminal.number(), TCSANOW, &modes); }),
                 "tcsetattr");
}

namespace {

// Who is in the background and changes a terminal is stopped by SIGTTOU, unless it is blocked.
template <class Work>
Result<void> without_stop(Work work) {
  sigset_t stop, before;
  ::sigemptyset(&stop);
  ::sigaddset(&stop, SIGTTOU);
  ::pthread_sigmask(SIG_BLOCK, &stop, &before);
  Result<void> outcome = work();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return outcome;
}

}  // namespace

Result<void> set_terminal_modes_now(FdRef terminal, const termios& modes) {
  return without_stop([&] { return set_terminal_modes(terminal, modes); });
}
Result<void> set_foreground(FdRef terminal, HostPid group) {
  return without_stop(
      [&] { return checked(::tcsetpgrp(terminal.number(), group.value()), "tcsetpgrp"); });
}

Result<dev_t> terminal_device(FdRef terminal) {
  unsigned device = 0;
  TRY(checked(::ioctl(terminal.number(), TIOCGDEV, &device), "ioctl", "TIOCGDEV"));
  return dev_t{device};  // the C library's numbering, as far as 32 bits go
}

Result<void> unlock_pty(FdRef master) {
  const int locked = 0;
  return checked(::ioctl(master.number(), TIOCSPTLCK, &locked), "ioctl", "TIOCSPTLCK");
}

Result<Fd> open_pty_slave(FdRef master) {
  const int slave = ::ioctl(master.number(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) return Failure(last_error("ioctl", "TIOCGPTPEER"));
  return Fd(slave);
}

Result<unsigned> pty_number(FdRef master) {
  unsigned number = 0;
  TRY(checked(::ioctl(master.number(), TIOCGPTN, &number), "ioctl", "TIOCGPTN"));
  return number;
}

Result<void> set_controlling_terminal(FdRef terminal) {
  return checked(::ioctl(terminal.number(), TIOCSCTTY, 0), "ioctl", "TIOCSCTTY");
}

bool is_in_foreground(FdRef terminal) {
  const pid_t foreground = ::tcgetpgrp(terminal.number());
  return foreground < 0 || foreground == ::getpgrp();
}

}  // namespace umbel::sys
