// Where a person sits: the descriptors, the terminal in raw mode, the keys, the signals.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"
#include "console/attach.h"
#include "console/protocol.h"
#include "console/terminal.h"
#include "sys/signal.h"

namespace umbel::console {

// Finds the detach keys in what is typed, also split over several reads; what only looked like
// their beginning is passed on late.
class Keys {
 public:
  explicit Keys(std::string keys) : keys_(std::move(keys)) {}
  // What to pass on; `complete` when all keys have come: what was typed behind them is dropped.
  struct Passed {
    std::string text;
    bool complete = false;
  };
  Passed pass(std::string_view typed);

 private:
  std::string keys_;
  std::size_t matched_ = 0;
};

class Person {
 public:
  static Result<Person> sit_down(const AttachOptions& options);

  // What to poll(2) for, and -1 where nothing.
  int typing() const { return input_ ? options_->in.number() : -1; }
  FdRef signals() const { return signals_.fd(); }

  // What was typed. A terminal that is gone, and the detach keys, end the visit; anything else
  // that ends, ends the input.
  struct Typed {
    std::string text;
    bool ended = false, detached = false;
  };
  Result<Typed> read();
  Result<void> show(Tag tag, std::string_view output) const;
  // Nothing without a terminal.
  std::optional<Window> window(bool redraw) const;

  // A signal has come: hands it on, stops and goes on as told; the window to tell, if it may be
  // another one now.
  Result<std::optional<Window>> take_signal();

 private:
  Person(const AttachOptions& options, sys::SignalScope signals)
      : options_(&options), signals_(std::move(signals)), keys_({}), input_(options.input) {}
  Result<void> stop();

  const AttachOptions* options_;
  sys::SignalScope signals_;
  std::optional<RawMode> raw_;
  Keys keys_;
  bool input_;
};

}  // namespace umbel::console
