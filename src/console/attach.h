// A person's side of a container's streams.
#pragma once

#include <cstdint>
#include <functional>
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
  // First so many lines of the log at that path.
  std::string log = {};
  std::optional<std::size_t> recent = {};
  // A pidfd: without a terminal, signals to this process are handed on to that one.
  FdRef signals_to = FdRef(-1);
  // So many bytes of output went by, because `out` did not take them; the log has them.
  std::function<void(std::uint64_t)> missed = [](std::uint64_t) {};
};

struct Outcome {
  enum class How { detached, exited, lost } how = How::lost;  // lost: the monitor is gone
  sys::Exit exit;
};
// As a client of a monitor: its socket, or the path that it listens at.
Result<Outcome> attach(FdRef socket, const AttachOptions& options);
Result<Outcome> attach(const std::string& path, const AttachOptions& options);

// The same towards a terminal's master held by oneself, as exec has it, until the process ends.
Result<sys::Exit> relay(sys::Process process, FdRef master, const AttachOptions& options);

}  // namespace umbel::console
