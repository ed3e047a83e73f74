// One poll loop over: the end of init, the listener, the container's outputs, the clients. Memory
// is bounded: one buffer, at most one message waiting for each client, one for the container's
// input; while any of them waits, its source is not read.
#include "console/monitor.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/text.h"
#include "console/terminal.h"
#include "sys/channel.h"
#include "sys/file.h"

namespace umbel::console {

namespace {

struct Client {
  Fd socket;
  std::string waiting;  // a message that its socket had no room for
};

class Monitor {
 public:
  Monitor(Streams streams, FdRef listener, LogWriter& log, FdRef init, Fd first)
      : streams_(std::move(streams)), listener_(listener), log_(log), init_(init) {
    if (first) clients_.push_back({std::move(first), {}});
  }

  Result<sys::Exit> run() {
    if (streams_.in) TRY(sys::set_nonblocking(streams_.in, true));
    if (streams_.terminal) TRY(sys::set_nonblocking(streams_.terminal, true));
    for (Fd* output : {&streams_.out, &streams_.err})
      if (*output) TRY(sys::set_nonblocking(*output, true));
    while (!ended_) TRY(turn());
    drain();
    const sys::Exit exit = TRY(sys::reap(init_));
    std::string message(1, static_cast<char>(Tag::exit));
    message += std::to_string(exit.status) + " " + std::to_string(exit.signal);
    for (Client& client : clients_) deliver(client, message);
    return exit;
  }

 private:
  FdRef input() const { return streams_.terminal ? streams_.terminal : streams_.in; }
  bool clients_wait() const {
    return std::ranges::any_of(clients_, [](const Client& c) { return !c.waiting.empty(); });
  }

  Result<void> turn() {
    std::vector<pollfd> watched{{init_.number(), POLLIN, 0}, {listener_.number(), POLLIN, 0}};
    const short outputs = clients_wait() ? 0 : POLLIN;
    const short room = input_.empty() ? 0 : POLLOUT;
    for (const Fd* output : {&streams_.terminal, &streams_.out, &streams_.err})
      watched.push_back({outputs == 0 && room == 0 ? -1 : output->number(), outputs, 0});
    if (streams_.terminal) watched[2].events = static_cast<short>(outputs | room);
    watched.push_back({room != 0 && streams_.in ? streams_.in.number() : -1, POLLOUT, 0});
    const std::size_t first_client = watched.size();
    for (const Client& client : clients_)
      watched.push_back({client.socket.number(),
                         static_cast<short>((input_.empty() ? POLLIN : 0) |
                                            (client.waiting.empty() ? 0 : POLLOUT)),
                         0});
    if (::poll(watched.data(), watched.size(), -1) < 0) return {};

    ended_ = watched[0].revents != 0;
    if ((watched[2].revents & POLLOUT) != 0 || watched[5].revents != 0) feed_container();
    if ((watched[2].revents & ~POLLOUT) != 0) relay(streams_.terminal, Stream::out);
    if (watched[3].revents != 0) relay(streams_.out, Stream::out);
    if (watched[4].revents != 0) relay(streams_.err, Stream::err);
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      const short events = watched[first_client + i].revents;
      if ((events & POLLOUT) != 0) deliver(clients_[i], std::exchange(clients_[i].waiting, {}));
      if ((events & ~POLLOUT) != 0) listen_to(clients_[i]);
    }
    std::erase_if(clients_, [](const Client& client) { return !client.socket; });
    if (watched[1].revents != 0) {
      Result<Fd> socket = sys::accept(listener_);
      if (socket) clients_.push_back({std::move(*socket), {}});
    }
    return {};
  }

  // Whether there was anything.
  bool relay(Fd& output, Stream stream) {
    if (!output) return false;
    Result<std::size_t> count = sys::read(output, buffer_);
    if (!count && count.error().code == EAGAIN) return false;
    // EIO: nobody has the terminal's slave open at the moment; someone may open it again.
    if (!count || *count == 0) {
      if (ended_ || stream == Stream::err || &output != &streams_.terminal)
        output.close();
      else
        ::poll(nullptr, 0, 10);
      return false;
    }
    const std::string_view data(buffer_.data(), *count);
    (void)log_.write(stream, data);  // a full disk must not stop the container
    std::string message(1, static_cast<char>(stream == Stream::err ? Tag::err : Tag::out));
    message += data;
    for (Client& client : clients_) deliver(client, message);
    return true;
  }

  void drain() {
    for (const auto& [output, stream] :
         {std::pair{&streams_.terminal, Stream::out}, std::pair{&streams_.out, Stream::out},
          std::pair{&streams_.err, Stream::err}})
      while (relay(*output, stream)) wait_for_clients();
  }

  // At the end only: what a client has not taken within a second is lost to it, not to the log.
  void wait_for_clients() {
    for (Client& client : clients_) {
      if (client.waiting.empty() || !client.socket) continue;
      pollfd room{client.socket.number(), POLLOUT, 0};
      if (::poll(&room, 1, 1000) <= 0)
        client.socket.close();
      else
        deliver(client, std::exchange(client.waiting, {}));
    }
  }

  static void deliver(Client& client, std::string message) {
    if (!client.socket) return;
    const ssize_t sent =
        ::send(client.socket.number(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return;
    if (errno == EAGAIN)
      client.waiting = std::move(message);
    else
      client.socket.close();
  }

  void listen_to(Client& client) {
    if (!client.socket) return;
    const Result<sys::Message> message = sys::receive(client.socket);
    if (!message || message->closed) return client.socket.close();
    const std::string_view data = std::string_view(message->data).substr(1);
    switch (static_cast<Tag>(message->data[0])) {
      case Tag::input:
        input_ += data;
        return feed_container();
      case Tag::end:
        if (input_.empty())
          streams_.in.close();
        else
          close_after_input_ = true;
        return;
      case Tag::window:
        if (const auto parts = words(data); parts.size() == 2 && streams_.terminal)
          (void)set_window_size(streams_.terminal,
                                {static_cast<unsigned short>(number(parts[0]).value_or(24)),
                                 static_cast<unsigned short>(number(parts[1]).value_or(80))});
        return;
      default:
        return;
    }
  }

  void feed_container() {
    if (!input()) return input_.clear();
    const Result<std::size_t> count = sys::write(input(), input_);
    if (!count && count.error().code != EAGAIN) input_.clear();  // EPIPE: it does not read any more
    if (count) input_.erase(0, *count);
    if (input_.empty() && close_after_input_) streams_.in.close();
  }

  Streams streams_;
  FdRef listener_;
  LogWriter& log_;
  FdRef init_;
  std::vector<Client> clients_;
  std::string input_;
  bool close_after_input_ = false, ended_ = false;
  std::array<char, 16384> buffer_;
};

}  // namespace

Result<sys::Exit> serve(Streams streams, FdRef listener, LogWriter& log, FdRef init, Fd first) {
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGHUP, SIG_IGN);
  return Monitor(std::move(streams), listener, log, init, std::move(first)).run();
}

}  // namespace umbel::console
