// Every message goes out whole or not at all (SOCK_SEQPACKET), so a client needs no buffer here:
// some 200 KB wait for it in its socket, and one piece in ours, for all of them the same.
#include "console/clients.h"

#include <poll.h>
#include <time.h>

#include <algorithm>
#include <utility>

#include "sys/channel.h"
#include "sys/identity.h"
#include "sys/stream.h"

namespace umbel::console {

using std::chrono::milliseconds;

milliseconds Clients::clock() {
  const Result<sys::Clock> now = sys::clock_now(CLOCK_MONOTONIC);
  ensure(now.has_value(), "the monotonic clock can be read");
  return milliseconds(now->seconds * 1000 + now->nanoseconds / 1'000'000);
}

void Clients::add(Fd socket, Client::State state) {
  const auto place = std::ranges::find(clients_, Client::State::free, &Client::state);
  if (place == clients_.end()) {
    (void)sys::offer(socket, std::string_view("r"));
    return;
  }
  place->socket = std::move(socket);
  place->state = state;
}

Result<bool> Clients::accept(FdRef listener) {
  Result<Fd> socket = sys::accept(listener);
  if (socket) {
    add(std::move(*socket), Client::State::silent);
    return true;
  }
  const int code = socket.error().code;
  if (code == EAGAIN || code == ECONNABORTED) return false;
  return Failure(std::move(socket).error());
}

void Clients::welcome(std::size_t i, const Hello& hello, LogPosition log) {
  Client& client = clients_.at(i);
  // Where a first client has let its socket fill up before, it can do without.
  (void)offer(client, Packed(Tag::welcome, Welcome{.log = log}).text());
  if (client.state == Client::State::silent && hello.version == protocol_version)
    client.state = Client::State::served;
}

int Clients::events(std::size_t i, Input input) const {
  const Client& client = clients_.at(i);
  if (!client.socket) return 0;
  const bool held = client.held && input == Input::waits;
  const bool behind = client.owed || client.missed > 0;
  return (held ? 0 : POLLIN) | (behind ? POLLOUT : 0);
}

bool Clients::must_wait(std::size_t i, Input input) {
  Client& client = clients_.at(i);
  client.held = false;
  if (input == Input::free) return false;
  const Result<std::optional<char>> next = sys::peek(client.socket);
  // The end of input, too, belongs behind the input.
  client.held = next && *next &&
                (**next == static_cast<char>(Tag::input) || **next == static_cast<char>(Tag::end));
  return client.held;
}

// False where there is no room. One that is gone needs none.
bool Clients::offer(Client& client, std::string_view message) {
  const Result<bool> taken = sys::offer(client.socket, message);
  if (taken) return *taken;
  client.state = Client::State::deaf;
  client.owed = false;
  client.missed = 0;
  return true;
}

bool Clients::make_up(Client& client) {
  if (client.missed == 0) return true;
  if (!offer(client, Packed(Tag::missed, client.missed).text())) return false;
  client.missed = 0;
  return true;
}

void Clients::send(Tag tag, std::size_t size) {
  piece_[0] = static_cast<char>(tag);
  size_ = 1 + size;
  for (Client& client : clients_) {
    if (client.state != Client::State::served) continue;
    if (!make_up(client)) {
      client.missed += size;
    } else if (client.state == Client::State::served && !offer(client, piece())) {
      client.owed = true;
      client.owed_since = clock();
    }
  }
}

void Clients::deliver(std::size_t i) {
  Client& client = clients_.at(i);
  if (make_up(client) && client.owed) client.owed = !offer(client, piece());
}

std::optional<milliseconds> Clients::owed_since() const {
  std::optional<milliseconds> oldest;
  for (const Client& client : clients_)
    if (client.owed && (!oldest || client.owed_since < *oldest)) oldest = client.owed_since;
  return oldest;
}

std::size_t Clients::served() const {
  return static_cast<std::size_t>(std::ranges::count_if(clients_, [](const Client& client) {
    return client.state == Client::State::served && client.missed == 0;
  }));
}

void Clients::skip(milliseconds moment) {
  for (Client& client : clients_)
    if (client.owed && client.owed_since <= moment) {
      client.owed = false;
      client.missed += size_ - 1;
    }
}

void Clients::finish(const sys::Exit& exit, milliseconds patience) {
  const Packed message(Tag::exit, exit);
  const milliseconds until = clock() + patience;
  for (;;) {
    std::array<pollfd, most_clients> untold{};
    bool all_told = true;
    for (std::size_t i = 0; i < most_clients; ++i) {
      Client& client = clients_.at(i);
      untold.at(i).fd = -1;
      if (!client.socket) continue;
      if (make_up(client) && offer(client, message.text())) {
        remove(i);
        continue;
      }
      untold.at(i) = {.fd = client.socket.number(), .events = POLLOUT, .revents = 0};
      all_told = false;
    }
    const milliseconds left = until - clock();
    if (all_told || left <= milliseconds(0)) return;
    if (!sys::wait_any(untold, left)) return;
  }
}

}  // namespace umbel::console
