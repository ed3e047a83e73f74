// TIOCGPTPEER (Linux 4.13) opens the slave from the master, without a path. A devpts shows who its
// ptmx belongs to: a master opened through DEVPTS/ptmx makes its slave there.
#include "console/terminal.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>

#include <utility>

#include "sys/call.h"
#include "sys/file.h"

namespace umbel::console {

Result<Pty> open_pty(FdRef devpts) {
  if (TRY(sys::file_system(devpts)).f_type != DEVPTS_SUPER_MAGIC)
    return fail("/dev/pts is no devpts", "mount one, as containers have by default");
  Pty pty{.master = TRY(sys::open_beneath(devpts, "ptmx", O_RDWR | O_NOCTTY))};
  int locked = 0;
  TRY(sys::checked(::ioctl(pty.master.number(), TIOCSPTLCK, &locked), "ioctl", "TIOCSPTLCK"));
  pty.slave = Fd(
      TRY(sys::checked_int(::ioctl(pty.master.number(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC),
                           "ioctl", "TIOCGPTPEER")));
  unsigned number = 0;
  TRY(sys::checked(::ioctl(pty.master.number(), TIOCGPTN, &number), "ioctl", "TIOCGPTN"));
  pty.slave_path = "/dev/pts/" + std::to_string(number);
  return pty;
}

Result<void> make_controlling(FdRef slave) {
  return sys::checked(::ioctl(slave.number(), TIOCSCTTY, 0), "ioctl", "TIOCSCTTY");
}

Result<WindowSize> window_size(FdRef terminal) {
  winsize size{};
  TRY(sys::checked(::ioctl(terminal.number(), TIOCGWINSZ, &size), "ioctl", "TIOCGWINSZ"));
  return WindowSize{size.ws_row, size.ws_col};
}

Result<void> set_window_size(FdRef terminal, WindowSize size) {
  const winsize wanted{.ws_row = size.rows, .ws_col = size.columns};
  return sys::checked(::ioctl(terminal.number(), TIOCSWINSZ, &wanted), "ioctl", "TIOCSWINSZ");
}

bool is_terminal(FdRef fd) { return ::isatty(fd.number()) == 1; }

Result<RawMode> RawMode::enter(FdRef terminal) {
  termios before{};
  TRY(sys::checked(::tcgetattr(terminal.number(), &before), "tcgetattr"));
  termios raw = before;
  ::cfmakeraw(&raw);
  TRY(sys::checked(::tcsetattr(terminal.number(), TCSADRAIN, &raw), "tcsetattr"));
  return RawMode(terminal.number(), before);
}

RawMode::RawMode(RawMode&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), before_(other.before_) {}

RawMode::~RawMode() {
  if (fd_ >= 0) ::tcsetattr(fd_, TCSADRAIN, &before_);
}

}  // namespace umbel::console
