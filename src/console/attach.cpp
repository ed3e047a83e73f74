#include "console/attach.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <array>

#include "base/text.h"
#include "console/monitor.h"
#include "console/terminal.h"
#include "sys/channel.h"
#include "sys/file.h"

namespace umbel::console {

namespace {

// Finds the detach keys in what is typed, also split over several reads; keys that only looked like
// their beginning are passed on late.
class Keys {
 public:
  explicit Keys(std::string keys) : keys_(std::move(keys)) {}
  // What to pass on; nullopt when the keys are complete.
  std::optional<std::string> pass(std::string_view typed) {
    std::string passed;
    for (const char c : typed) {
      if (!keys_.empty() && c == keys_[matched_]) {
        if (++matched_ == keys_.size()) return std::nullopt;
        continue;
      }
      passed.append(keys_, 0, matched_);
      matched_ = !keys_.empty() && c == keys_[0] ? 1 : 0;
      if (matched_ == 0) passed += c;
    }
    return passed;
  }

 private:
  std::string keys_;
  std::size_t matched_ = 0;
};

Result<Fd> window_changes() {
  sigset_t set{};
  sigemptyset(&set);
  sigaddset(&set, SIGWINCH);
  return sys::signal_descriptor(set);
}

Result<void> forget(FdRef signals) {
  std::array<char, sizeof(signalfd_siginfo)> info{};
  TRY(sys::read(signals, info));
  return {};
}

Result<void> send_tagged(FdRef socket, Tag tag, std::string_view data) {
  return sys::send(socket, std::string(1, static_cast<char>(tag)) + std::string(data));
}

Result<void> send_window(FdRef socket, FdRef terminal) {
  const Result<WindowSize> size = window_size(terminal);
  if (!size) return {};  // not a terminal: nothing to tell
  return send_tagged(socket, Tag::window,
                     std::to_string(size->rows) + " " + std::to_string(size->columns));
}

// Nothing for a closed monitor; an outcome when it told the end.
Result<std::optional<Outcome>> show(FdRef socket, const AttachOptions& options) {
  const sys::Message message = TRY(sys::receive(socket));
  if (message.closed) return std::optional(Outcome{});
  const std::string_view data = std::string_view(message.data).substr(1);
  const Tag tag = static_cast<Tag>(message.data[0]);
  if (tag == Tag::out) TRY(sys::write_all(options.out, data));
  if (tag == Tag::err) TRY(sys::write_all(options.err, data));
  if (tag != Tag::exit) return std::optional<Outcome>();
  const auto parts = words(data);
  sys::Exit exit;
  if (parts.size() == 2) {
    exit.status = static_cast<int>(number(parts[0]).value_or(0));
    exit.signal = static_cast<int>(number(parts[1]).value_or(0));
  }
  return std::optional(Outcome{Outcome::How::exited, exit});
}

}  // namespace

Result<std::string> parse_detach_keys(std::string_view text) {
  std::string keys;
  for (std::string_view key : split(text, ',')) {
    const bool control = key.starts_with("ctrl-");
    if (control) key.remove_prefix(5);
    const bool good = key.size() == 1 && (!control || (key[0] >= '@' && key[0] <= '_') ||
                                          (key[0] >= 'a' && key[0] <= 'z'));
    if (!good)
      return fail("'" + std::string(text) + "' are no detach keys",
                  "write them like ctrl-p,ctrl-q or ctrl-]");
    keys += control ? static_cast<char>(key[0] & 0x1f) : key[0];
  }
  return keys;
}

Result<Outcome> attach(FdRef socket, const AttachOptions& options) {
  std::optional<RawMode> raw;
  const bool typing = options.terminal && options.input && is_terminal(options.in);
  if (typing) raw.emplace(TRY(RawMode::enter(options.in)));
  const Fd window = TRY(window_changes());
  if (options.terminal) TRY(send_window(socket, options.out));
  Keys keys(typing ? options.detach_keys : "");
  bool input = options.input;
  std::array<char, 16384> buffer{};
  for (;;) {
    std::array<pollfd, 3> watched{{{socket.number(), POLLIN, 0},
                                   {window.number(), POLLIN, 0},
                                   {input ? options.in.number() : -1, POLLIN, 0}}};
    if (::poll(watched.data(), watched.size(), -1) < 0) continue;
    if (watched[0].revents != 0)
      if (const auto outcome = TRY(show(socket, options))) return *outcome;
    if (watched[1].revents != 0) {
      TRY(forget(window));
      if (options.terminal) TRY(send_window(socket, options.out));
    }
    if (watched[2].revents == 0) continue;
    const Result<std::size_t> count = sys::read(options.in, buffer);
    input = count && *count > 0;
    if (!input) {
      (void)send_tagged(socket, Tag::end, {});
      continue;
    }
    const auto passed = keys.pass(std::string_view(buffer.data(), *count));
    if (!passed) return Outcome{Outcome::How::detached, {}};
    // A monitor that ended meanwhile has left its last words, which are read next.
    if (!passed->empty()) (void)send_tagged(socket, Tag::input, *passed);
  }
}

Result<sys::Exit> relay(sys::Process process, FdRef master, const AttachOptions& options) {
  std::optional<RawMode> raw;
  if (options.input && is_terminal(options.in)) raw.emplace(TRY(RawMode::enter(options.in)));
  const Fd window = TRY(window_changes());
  const auto resize = [&] {
    if (const Result<WindowSize> size = window_size(options.out))
      (void)set_window_size(master, *size);
  };
  resize();
  std::array<char, 16384> buffer{};
  bool input = options.input;
  for (bool ended = false;;) {
    std::array<pollfd, 4> watched{{{master.number(), POLLIN, 0},
                                   {window.number(), POLLIN, 0},
                                   {input ? options.in.number() : -1, POLLIN, 0},
                                   {ended ? -1 : process.pidfd().number(), POLLIN, 0}}};
    if (::poll(watched.data(), watched.size(), ended ? 0 : -1) < 0) continue;
    if (watched[0].revents != 0) {
      const Result<std::size_t> count = sys::read(master, buffer);
      if (!count || *count == 0) return process.wait();
      TRY(sys::write_all(options.out, std::string_view(buffer.data(), *count)));
      continue;
    }
    if (ended) return process.wait();
    if (watched[1].revents != 0) {
      TRY(forget(window));
      resize();
    }
    if (watched[2].revents != 0) {
      const Result<std::size_t> count = sys::read(options.in, buffer);
      input = count && *count > 0;
      // The end of input is a key on a terminal: ctrl-d.
      TRY(sys::write_all(master, input ? std::string_view(buffer.data(), *count) : "\x04"));
    }
    ended = watched[3].revents != 0;
  }
}

}  // namespace umbel::console
