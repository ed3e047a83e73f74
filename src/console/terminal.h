// Terminals: a pair from a container's own devpts, the controlling terminal, raw mode, window size.
// Source: pty(7), ioctl_tty(2), termios(3).
#pragma once

#include <termios.h>

#include <optional>
#include <string>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::console {

struct Pty {
  Fd master, slave;
  std::string slave_path;  // below the devpts' own root: "/dev/pts/0"
};
// A new pair in the devpts that `devpts` is the root of. The slave comes from the master, never
// from a path, so that nobody inside can put something else in its place.
Result<Pty> open_pty(FdRef devpts);

// In a session leader without a terminal.
Result<void> make_controlling(FdRef slave);

struct WindowSize {
  unsigned short rows = 0, columns = 0;
};
Result<WindowSize> window_size(FdRef terminal);
Result<void> set_window_size(FdRef terminal, WindowSize size);
bool is_terminal(FdRef fd);

// Every key goes through as it is, until the scope ends.
class RawMode {
 public:
  static Result<RawMode> enter(FdRef terminal);
  RawMode(RawMode&& other) noexcept;
  RawMode& operator=(RawMode&&) = delete;
  RawMode(const RawMode&) = delete;
  RawMode& operator=(const RawMode&) = delete;
  ~RawMode();

 private:
  RawMode(int fd, const termios& before) : fd_(fd), before_(before) {}
  int fd_;
  termios before_;
};

}  // namespace umbel::console
