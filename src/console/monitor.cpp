// One loop over: the end of init, the listener, the container's outputs, the clients. Memory is
// bounded by construction, and all of it is in the Monitor itself: one piece of output, which every
// client either has or is owed; while one is owed, no further output is read. One piece of input,
// whose owner sends no more while the container does not take it. poll(2) rather than epoll: what
// is waited for changes with nearly every turn, and there are never more than some dozen.
// A terminal's master reads EIO while nobody has the slave open, and vhangup(2) makes that happen
// too: so the monitor holds a slave of its own, and opens another where that one was hung up.
#include "console/monitor.h"

#include <poll.h>
#include <time.h>

#include <algorithm>
#include <array>

#include "console/clients.h"
#include "console/protocol.h"
#include "console/terminal.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/memory.h"
#include "sys/signal.h"
#include "sys/stream.h"

namespace umbel::console {

namespace {

using std::chrono::milliseconds;

// One output of the container's.
struct Output {
  Fd fd;
  Stream stream = Stream::out;
  std::size_t after_end = 0;  // bytes read since init has ended
  bool quiet = false;         // nothing was there at the last look
};

class Monitor {
 public:
  Monitor(Streams streams, FdRef listener, LogWriter& log, FdRef init, Serving how)
      : is_terminal_(static_cast<bool>(streams.terminal)),
        in_(std::move(streams.in)),
        outputs_{Output{.fd = std::move(is_terminal_ ? streams.terminal : streams.out)},
                 Output{.fd = std::move(streams.err), .stream = Stream::err}},
        listener_(listener),
        log_(log),
        init_(init),
        how_(std::move(how)) {
    if (how_.first) clients_.add(std::move(how_.first), Client::State::served);
  }

  Result<sys::Exit> run() {
    TRY(sys::set_nonblocking(listener_, true));
    if (in_) TRY(sys::set_nonblocking(in_, true));
    for (const Output& output : outputs_)
      if (output.fd) TRY(sys::set_nonblocking(output.fd, true));
    hold_slave();
    while (!is_drained()) TRY(turn());
    const sys::Exit exit = TRY(sys::reap(init_));
    if (how_.ended) how_.ended(exit);
    accept_waiting();
    clients_.finish(exit, how_.last_patience);
    return exit;
  }

 private:
  bool has_ended() const { return ended_at_.has_value(); }
  // Who has come too late to see anything shall at least hear the end.
  void accept_waiting() {
    for (Result<bool> more = true; more && *more;) more = clients_.accept(listener_);
  }
  FdRef input() const { return is_terminal_ ? outputs_[0].fd : in_; }
  Fd& master() { return outputs_[0].fd; }

  bool is_drained() const {
    if (!ended_at_ || clients_.is_one_owed()) return false;
    const bool grace_over = clock() - *ended_at_ >= how_.grace;
    // More than any pipe or terminal can hold: somebody else is writing without end.
    constexpr std::size_t most_left = std::size_t{1} << 20U;
    return std::ranges::all_of(outputs_, [&](const Output& output) {
      return !output.fd || (grace_over && (output.quiet || output.after_end > most_left));
    });
  }

  milliseconds patience() const { return has_ended() ? how_.last_patience : how_.patience; }
  bool is_patient_without_end() const {
    return is_terminal_ && !has_ended() && clients_.served() == 1;
  }

  // How long poll may sleep; what is due at that moment is done by the next turn.
  milliseconds until_next() const {
    milliseconds least = sys::forever;
    const auto consider = [&](milliseconds moment) {
      const milliseconds left = std::max(moment - clock(), milliseconds(1));
      if (least == sys::forever || left < least) least = left;
    };
    const auto owed_since = clients_.owed_since();
    if (owed_since && !is_patient_without_end()) consider(*owed_since + patience());
    if (!owed_since && ended_at_) consider(*ended_at_ + how_.grace);
    if (redraw_) consider(redraw_->due);
    if (retry_slave_) consider(*retry_slave_);
    if (pause_listener_) consider(*pause_listener_);
    return least;
  }

  // The places of what is polled.
  static constexpr std::size_t init_at = 0, listener_at = 1, in_at = 2, outputs_at = 3,
                               clients_at = 5;
  using Watched = std::array<pollfd, clients_at + most_clients>;

  Clients::Input waiting() const {
    return waiting_.empty() ? Clients::Input::free : Clients::Input::waits;
  }

  Watched watched() const {
    Watched w{};
    const auto watch = [](FdRef fd, int events) {
      return pollfd{events == 0 ? -1 : fd.number(), static_cast<short>(events), 0};
    };
    const int room = waiting_.empty() ? 0 : POLLOUT;
    const int reading = clients_.is_one_owed() ? 0 : POLLIN;
    const int terminal = retry_slave_ ? 0 : reading | room;
    w[init_at] = watch(init_, has_ended() ? 0 : POLLIN);
    w[listener_at] = watch(listener_, pause_listener_ ? 0 : POLLIN);
    w[in_at] = watch(in_, room);
    w[outputs_at] = watch(outputs_[0].fd, is_terminal_ ? terminal : reading);
    w[outputs_at + 1] = watch(outputs_[1].fd, reading);
    for (std::size_t i = 0; i < most_clients; ++i)
      w.at(clients_at + i) = watch(clients_[i].socket, clients_.events(i, waiting()));
    return w;
  }

  // Most containers say nothing for hours: then their monitors' code need not be in memory.
  Result<void> wait(Watched& w) {
    constexpr milliseconds quiet{300};
    const milliseconds most = until_next();
    if (most == sys::forever) {
      if (TRY(sys::wait_any(w, quiet))) return {};
      sys::leave_own_code();
    }
    TRY(sys::wait_any(w, most));
    return {};
  }

  Result<void> turn() {
    const bool had_ended = has_ended();
    Watched w = watched();
    TRY(wait(w));
    if (w[init_at].revents != 0) note_end();
    if (((w[in_at].revents | w[outputs_at].revents) & (POLLOUT | POLLERR)) != 0) feed();
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const pollfd& seen = w.at(outputs_at + i);
      // Nothing was there at a time when nothing more could come from init.
      outputs_.at(i).quiet = had_ended && (seen.events & POLLIN) != 0 && seen.revents == 0;
      if ((seen.revents & ~POLLOUT) != 0) relay(outputs_.at(i));
    }
    for (std::size_t i = 0; i < most_clients; ++i) {
      const int events = w.at(clients_at + i).revents;
      if ((events & POLLOUT) != 0) clients_.deliver(i);
      if ((events & ~POLLOUT) != 0) hear(i);
    }
    // No descriptors left, say.
    if (w[listener_at].revents != 0 && !clients_.accept(listener_))
      pause_listener_ = clock() + milliseconds(1000);
    do_what_is_due();
    return {};
  }

  void do_what_is_due() {
    const milliseconds now = clock();
    if (!is_patient_without_end()) clients_.skip(now - patience());
    if (redraw_ && now >= redraw_->due) {
      (void)set_window_size(master(), redraw_->size);
      redraw_.reset();
    }
    if (retry_slave_ && now >= *retry_slave_) hold_slave();
    if (pause_listener_ && now >= *pause_listener_) pause_listener_.reset();
  }

  void note_end() {
    ended_at_ = clock();
    // Nobody shall seem to have the terminal but those who were left behind.
    slave_.close();
    waiting_ = {};
    retry_slave_.reset();
  }

  void hold_slave() {
    retry_slave_.reset();
    if (!is_terminal_ || has_ended()) return;
    Result<Fd> slave = sys::open_pty_slave(master());
    if (slave)
      slave_ = std::move(*slave);
    else
      retry_slave_ = clock() + milliseconds(100);
  }

  void relay(Output& output) {
    if (clients_.is_one_owed()) {
      // The other output's piece, just now; or a hangup, which is told without being asked for.
      if (is_terminal_) hold_slave();
      return;
    }
    const Result<sys::Moved> read = sys::read_some(output.fd, clients_.room_for_output());
    if (read && read->later) return;
    if (!read || read->bytes == 0) {
      const bool hung_up = &output == outputs_.data() && is_terminal_ && !has_ended();
      return hung_up ? hold_slave() : output.fd.close();
    }
    if (has_ended()) output.after_end += read->bytes;
    // A full disk must not stop the container; the log counts what it has lost.
    (void)log_.write(output.stream, clients_.output(read->bytes));
    clients_.send(output.stream == Stream::err ? Tag::err : Tag::out, read->bytes);
  }

  // One message of a client's. Input that must wait stays in the socket.
  void hear(std::size_t i) {
    if (!clients_[i].socket || clients_.must_wait(i, waiting())) return;
    const std::span<char> room = waiting_.empty() ? std::span<char>(input_) : small_;
    const Result<sys::Moved> taken = sys::take(clients_[i].socket, room);
    if (taken && taken->later) return;
    if (!taken || taken->bytes == 0) return clients_.remove(i);
    const std::string_view content(&room[1], taken->bytes - 1);
    switch (static_cast<Tag>(room[0])) {
      case Tag::hello:
        if (const auto hello = unpacked<Hello>(content)) greet(i, *hello);
        break;
      case Tag::input:
        waiting_ = content;
        feed();
        break;
      case Tag::end:
        if (waiting_.empty())
          in_.close();
        else
          close_after_ = true;
        break;
      case Tag::window:
        if (const auto window = unpacked<Window>(content)) resize(*window);
        break;
      default:
        break;
    }
  }

  void greet(std::size_t i, const Hello& hello) {
    const bool first = clients_[i].state == Client::State::served;
    clients_.welcome(i, hello, log_.position());
    if (hello.window.size.rows == 0) return;
    resize({hello.window.size, static_cast<std::uint8_t>(first ? 0 : hello.window.redraw)});
  }

  // The kernel tells a program of a change only. So for one who comes to a terminal that has his
  // size already, it changes twice, with time for the program to see both.
  void resize(const Window& window) {
    if (!is_terminal_ || window.size.rows == 0) return;
    redraw_.reset();
    const Result<WindowSize> now = sys::window_size(master());
    WindowSize size = window.size;
    if (window.redraw != 0 && now && *now == size) {
      redraw_ = {size, clock() + milliseconds(50)};
      size.rows = static_cast<unsigned short>(size.rows > 1 ? size.rows - 1 : 2);
    }
    (void)set_window_size(master(), size);
  }

  void feed() {
    if (!input() || has_ended()) waiting_ = {};
    while (!waiting_.empty()) {
      const Result<sys::Moved> written = sys::write_some(input(), waiting_);
      if (written && written->later) return;
      // EPIPE: it does not read any more.
      waiting_ = written ? waiting_.substr(written->bytes) : std::string_view();
    }
    if (close_after_) in_.close();
  }

  static milliseconds clock() { return Clients::clock(); }

  struct Redraw {
    WindowSize size;
    milliseconds due;
  };

  bool is_terminal_;
  Fd in_, slave_;
  std::array<Output, 2> outputs_;
  FdRef listener_;
  LogWriter& log_;
  FdRef init_;
  Serving how_;
  Clients clients_;
  std::optional<milliseconds> ended_at_, retry_slave_, pause_listener_;
  std::optional<Redraw> redraw_;
  std::string_view waiting_;  // of input_: what the container has not taken yet
  bool close_after_ = false;
  std::array<char, most_message> input_;
  std::array<char, 64> small_;  // for the messages that are not held up by input
};

}  // namespace

Result<sys::Exit> serve(Streams streams, FdRef listener, LogWriter& log, FdRef init, Serving how) {
  // A shutdown sends SIGTERM to everybody; the container gets its own. SIGXFSZ: the log may meet
  // the largest file size.
  sys::ignore_signals(sys::signals_of({SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2,
                                       SIGALRM, SIGTSTP, SIGTTIN, SIGTTOU, SIGXFSZ}));
  return Monitor(std::move(streams), listener, log, init, std::move(how)).run();
}

}  // namespace umbel::console
