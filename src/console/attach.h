// A client of a container's monitor.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"
#include "sys/process.h"

namespace umbel::console {

// "ctrl-p,ctrl-q", "ctrl-]", "q": the bytes that a person types to detach.
Result<std::string> parse_detach_keys(std::string_view text);

struct AttachOptions {
  bool input = true;
  bool terminal = false;  // the container has one: raw mode, window size
  std::string detach_keys = "\x10\x11";
  FdRef in = standard_in, out = standard_out, err = standard_error;
};

struct Outcome {
  enum class How { detached, exited, lost } how = How::lost;  // lost: the monitor is gone
  sys::Exit exit;
};
Result<Outcome> attach(FdRef socket, const AttachOptions& options);

// The same towards a terminal's master held by oneself, as exec has it, until the process ends.
Result<sys::Exit> relay(sys::Process process, FdRef master, const AttachOptions& options);

}  // namespace umbel::console
