// Terminals and their pairs, as the kernel has them. Source: pty(7), ioctl_tty(2), termios(3).
#pragma once

#include <sys/types.h>
#include <termios.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"

namespace umbel::sys {

bool is_terminal(FdRef fd);
// The slave of a pair that a devpts made, and not just anything that looks like a terminal.
bool is_pty_slave(FdRef fd);

struct WindowSize {
  unsigned short rows = 0, columns = 0;
  friend bool operator==(const WindowSize&, const WindowSize&) = default;
};
Result<WindowSize> window_size(FdRef terminal);
// The program in the foreground gets SIGWINCH if the size is another one.
Result<void> set_window_size(FdRef terminal, WindowSize size);

Result<termios> terminal_modes(FdRef terminal);
// At once, keeping what was typed already and is not read yet.
Result<void> set_terminal_modes(FdRef terminal, const termios& modes);

// The same for who is in no hurry to be stopped: from any process group.
Result<void> set_terminal_modes_now(FdRef terminal, const termios& modes);
Result<void> set_foreground(FdRef terminal, HostPid group);
// The device that is really there, also behind /dev/tty. Linux 2.6.33.
Result<dev_t> terminal_device(FdRef terminal);

// Of a master: lets its slave be opened; opens it, without any path (Linux 4.13); its number.
Result<void> unlock_pty(FdRef master);
Result<Fd> open_pty_slave(FdRef master);
Result<unsigned> pty_number(FdRef master);

// For a session leader that has none.
Result<void> set_controlling_terminal(FdRef terminal);
// Whether a change of its modes is this process's business: false in a background job.
bool is_in_foreground(FdRef terminal);

}  // namespace umbel::sys
