// Two loops over the same three things: the person's keys, the person's signals, the other side.
// Nobody may wait for room on the other side: it could be waiting for us to take its output. So
// what was typed is offered, and while it is not taken nothing further is read from the keys.
#include "console/attach.h"

#include <poll.h>

#include <array>
#include <vector>

#include "base/text.h"
#include "console/log.h"
#include "console/person.h"
#include "console/protocol.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/stream.h"

namespace umbel::console {

namespace {

class Visit {
 public:
  Visit(FdRef socket, const AttachOptions& options, Person person)
      : socket_(socket), options_(options), person_(std::move(person)), message_(most_message) {}

  Result<Outcome> run() {
    const std::optional<Window> window = person_.window(true);
    say(Packed(Tag::hello, Hello{.window = window.value_or(Window())}).text());
    while (!outcome_) TRY(turn());
    return *outcome_;
  }

 private:
  Result<void> turn() {
    const bool full = !unsent_.empty();
    std::array<pollfd, 3> watched{
        {{socket_.number(), static_cast<short>(POLLIN | (full ? POLLOUT : 0)), 0},
         {person_.signals().number(), POLLIN, 0},
         {full ? -1 : person_.typing(), POLLIN, 0}}};
    TRY(sys::wait_any(watched));
    if ((watched[0].revents & ~POLLOUT) != 0) TRY(hear());
    if (watched[1].revents != 0)
      if (const auto window = TRY(person_.take_signal())) say(Packed(Tag::window, *window).text());
    if (watched[2].revents != 0 && !outcome_) TRY(take_keys());
    if ((watched[0].revents & POLLOUT) != 0) say({});
    return {};
  }

  // In order, as soon as there is room. A monitor that is gone has left its last words, which are
  // heard next.
  void say(std::string_view message) {
    if (!message.empty()) unsent_.emplace_back(message);
    while (!unsent_.empty()) {
      const Result<bool> taken = sys::offer(socket_, unsent_.front());
      if (taken && !*taken) return;
      unsent_.erase(unsent_.begin());
    }
  }

  Result<void> take_keys() {
    const Person::Typed typed = TRY(person_.read());
    if (!typed.text.empty()) {
      // Keys that were held back may come on top of a full read.
      for (std::string_view rest = typed.text; !rest.empty();
           rest.remove_prefix(std::min(rest.size(), most_bytes)))
        say(static_cast<char>(Tag::input) + std::string(rest.substr(0, most_bytes)));
    }
    if (typed.ended) say(std::string(1, static_cast<char>(Tag::end)));
    if (typed.detached) outcome_ = Outcome{Outcome::How::detached, {}};
    return {};
  }

  Result<void> hear() {
    const sys::Moved taken = TRY(sys::take(socket_, message_));
    if (taken.later) return {};
    if (taken.bytes == 0) {
      outcome_ = Outcome{};
      return {};
    }
    const Tag tag = static_cast<Tag>(message_[0]);
    const std::string_view content(&message_[1], taken.bytes - 1);
    switch (tag) {
      case Tag::out:
      case Tag::err:
        return person_.show(tag, content);
      case Tag::welcome:
        return come_in(content);
      case Tag::missed:
        if (const auto bytes = unpacked<std::uint64_t>(content)) options_.missed(*bytes);
        if (const auto window = person_.window(true)) say(Packed(Tag::window, *window).text());
        return {};
      case Tag::exit:
        if (const auto exit = unpacked<sys::Exit>(content))
          outcome_ = Outcome{Outcome::How::exited, *exit};
        return {};
      case Tag::refused:
        return fail(std::to_string(most_clients) + " clients are attached to the container already",
                    "detach one of them");
      default:
        return {};
    }
  }

  Result<void> come_in(std::string_view content) {
    const auto version = unpacked<std::uint8_t>(content);
    const auto welcome = unpacked<Welcome>(content);
    if (!version || *version != protocol_version || !welcome)
      return fail("the container was started by another version of umbel",
                  "attach with that version, or restart the container");
    if (!options_.recent) return {};
    const LogQuery query{.tail = options_.recent, .upto = welcome->log};
    return read_log(options_.log, query, [&](const LogRecord& record) {
      const std::string text = std::string(record.text) + (record.whole ? "\n" : "");
      return person_.show(record.stream == Stream::err ? Tag::err : Tag::out, text);
    });
  }

  FdRef socket_;
  const AttachOptions& options_;
  Person person_;
  std::vector<std::string> unsent_;
  std::vector<char> message_;
  std::optional<Outcome> outcome_;
};

// As Visit, where the other side is a master.
class Relay {
 public:
  Relay(FdRef master, FdRef process, Person person)
      : master_(master), process_(process), person_(std::move(person)) {}

  // Until the process has ended and nothing is left to be shown.
  Result<void> run() {
    TRY(sys::set_nonblocking(master_, true));
    TRY(hold_slave());
    resize();
    while (!done_) TRY(turn());
    return {};
  }

 private:
  void resize() {
    if (const auto window = person_.window(false)) (void)set_window_size(master_, window->size);
  }

  Result<void> turn() {
    const bool full = !unsent_.empty();
    std::array<pollfd, 4> watched{
        {{master_.number(), static_cast<short>(POLLIN | (full ? POLLOUT : 0)), 0},
         {person_.signals().number(), POLLIN, 0},
         {full || ended_ ? -1 : person_.typing(), POLLIN, 0},
         {ended_ ? -1 : process_.number(), POLLIN, 0}}};
    TRY(sys::wait_any(watched, ended_ ? std::chrono::milliseconds(0) : sys::forever));
    const bool left = (watched[0].revents & ~POLLOUT) != 0;
    if (left) TRY(show());
    done_ = done_ || (ended_ && !left);
    if (watched[3].revents != 0) {
      ended_ = true;
      slave_.close();
    }
    if (watched[1].revents != 0 && TRY(person_.take_signal())) resize();
    if (watched[2].revents != 0) {
      const Person::Typed typed = TRY(person_.read());
      // The end of input is a key on a terminal.
      unsent_ += typed.ended || typed.detached ? typed.text + "\x04" : typed.text;
    }
    return send();
  }

  Result<void> send() {
    if (unsent_.empty()) return {};
    const Result<sys::Moved> written = sys::write_some(master_, unsent_);
    unsent_.erase(0, written ? written->bytes : unsent_.size());
    return {};
  }

  Result<void> show() {
    std::array<char, most_bytes> buffer;
    const Result<sys::Moved> read = sys::read_some(master_, buffer);
    if (read && read->later) return {};
    if (read && read->bytes > 0) return person_.show(Tag::out, {buffer.data(), read->bytes});
    if (ended_) {
      done_ = true;
      return {};
    }
    // A vhangup(2) inside; who lives on may open the terminal again.
    return hold_slave();
  }

  // As long as somebody has the slave, the master knows no end.
  Result<void> hold_slave() {
    slave_ = TRY(sys::open_pty_slave(master_));
    return {};
  }

  FdRef master_, process_;
  Fd slave_;
  Person person_;
  std::string unsent_;
  bool ended_ = false, done_ = false;
};

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
  return Visit(socket, options, TRY(Person::sit_down(options))).run();
}

Result<Outcome> attach(const std::string& path, const AttachOptions& options) {
  const Fd socket = TRY(sys::connect_to(path));
  return attach(socket, options);
}

Result<sys::Exit> relay(sys::Process process, FdRef master, const AttachOptions& options) {
  AttachOptions how = options;
  how.detach_keys.clear();  // nobody else holds the terminal
  TRY(Relay(master, process.pidfd(), TRY(Person::sit_down(how))).run());
  return process.wait();
}

}  // namespace umbel::console
