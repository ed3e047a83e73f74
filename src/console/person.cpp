// While the terminal is in raw mode its keys make no signals. What still comes from outside: a new
// window size, a stop (the terminal goes back to the shell as it was), and what ends the process,
// for which RawMode cares.
#include "console/person.h"

#include <signal.h>

#include "sys/process.h"
#include "sys/stream.h"

namespace umbel::console {

Keys::Passed Keys::pass(std::string_view typed) {
  Passed passed;
  if (keys_.empty()) return {std::string(typed)};
  for (const char c : typed) {
    // As long as what was held back together with c is no beginning of the keys, its first byte
    // can't be one either.
    std::string held = keys_.substr(0, matched_) + c;
    while (!keys_.starts_with(held)) {
      passed.text += held[0];
      held.erase(0, 1);
    }
    matched_ = held.size();
    if (matched_ < keys_.size()) continue;
    passed.complete = true;
    break;
  }
  return passed;
}

Result<Person> Person::sit_down(const AttachOptions& options) {
  sigset_t signals = sys::signals_of({SIGWINCH, SIGCONT});
  if (options.terminal) sigaddset(&signals, SIGTSTP);
  if (!options.terminal && options.signals_to) signals = sys::signals_to_hand_on();
  Person person(options, TRY(sys::SignalScope::open(signals)));
  if (!options.terminal || !options.input || !is_terminal(options.in)) return person;
  person.raw_.emplace(TRY(RawMode::enter(options.in)));
  person.keys_ = Keys(options.detach_keys);
  return person;
}

Result<Person::Typed> Person::read() {
  std::array<char, most_bytes> buffer;
  const Result<sys::Moved> read = sys::read_some(options_->in, buffer);
  if (read && read->later) return Typed{};
  if (!read || read->bytes == 0) {
    input_ = false;
    return Typed{.ended = !raw_, .detached = raw_.has_value()};
  }
  Keys::Passed passed = keys_.pass({buffer.data(), read->bytes});
  return Typed{.text = std::move(passed.text), .detached = passed.complete};
}

Result<void> Person::show(Tag tag, std::string_view output) const {
  return sys::write_patiently(tag == Tag::err ? options_->err : options_->out, output);
}

std::optional<Window> Person::window(bool redraw) const {
  if (!options_->terminal) return std::nullopt;
  const Result<WindowSize> size = window_size(raw_ ? options_->in : options_->out);
  if (!size || size->rows == 0 || size->columns == 0) return std::nullopt;
  return Window{*size, static_cast<std::uint8_t>(redraw ? 1 : 0)};
}

Result<void> Person::stop() {
  if (raw_) raw_->leave();
  sys::act_on_self(SIGTSTP);  // returns when it goes on
  return raw_ ? raw_->again() : Result<void>();
}

Result<std::optional<Window>> Person::take_signal() {
  const std::optional<int> signal = TRY(signals_.next());
  if (!signal) return std::optional<Window>();
  if (!options_->terminal && options_->signals_to) {
    (void)sys::pidfd_signal(options_->signals_to, *signal);  // it may have ended meanwhile
    return std::optional<Window>();
  }
  if (*signal == SIGTSTP) TRY(stop());
  // After a SIGSTOP, which nobody sees coming, the shell has set the terminal as it likes.
  if (*signal == SIGCONT && raw_) TRY(raw_->again());
  return window(*signal != SIGWINCH);
}

}  // namespace umbel::console
