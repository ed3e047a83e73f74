// A container's terminal and a person's. Source: pty(7), ioctl_tty(2), termios(3).
#pragma once

#include <string>

#include "base/error.h"
#include "base/fd.h"
#include "sys/terminal.h"

namespace umbel::console {

using sys::is_pty_slave;
using sys::is_terminal;
using sys::set_window_size;
using sys::window_size;
using sys::WindowSize;

struct Pty {
  Fd master, slave;
  std::string slave_path;  // with the devpts at its usual place: "/dev/pts/0"
};
// A new pair in the devpts that `devpts` is the root of. The slave comes from the master, never
// from a path, so that nobody inside can put something else in its place.
Result<Pty> open_pty(FdRef devpts);

// In a session leader without a terminal.
Result<void> make_controlling(FdRef slave);

// Every key goes through as it is, until the scope ends, or a signal ends the process. Of one
// terminal at a time.
class RawMode {
 public:
  static Result<RawMode> enter(FdRef terminal);
  RawMode(RawMode&& other) noexcept;
  RawMode& operator=(RawMode&&) = delete;
  RawMode(const RawMode&) = delete;
  RawMode& operator=(const RawMode&) = delete;
  ~RawMode();

  // For the time that the process is stopped: the terminal is somebody else's then.
  void leave();
  Result<void> again();

 private:
  RawMode() = default;
  bool active_ = true;
};

}  // namespace umbel::console
