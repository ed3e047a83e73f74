// The clients of a monitor, and the one piece of output that each has or is owed.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/fd.h"
#include "console/protocol.h"
#include "sys/process.h"

namespace umbel::console {

struct Client {
  enum class State : std::uint8_t {
    free,
    silent,  // has not said hello yet
    served,
    deaf,  // does not take anything any more; what it has said is still heard
  };
  Fd socket;
  State state = State::free;
  bool held = false;  // its next message is input that must wait
  bool owed = false;  // the present piece of output
  std::chrono::milliseconds owed_since{0};
  std::uint64_t missed = 0;  // bytes, since it was skipped
};

class Clients {
 public:
  const Client& operator[](std::size_t i) const { return clients_.at(i); }
  static std::chrono::milliseconds clock();

  void add(Fd socket, Client::State state);
  // True where somebody has come, who is refused if there are too many; false where nobody has.
  Result<bool> accept(FdRef listener);
  void remove(std::size_t i) { clients_.at(i) = Client(); }
  void welcome(std::size_t i, const Hello& hello, LogPosition log);

  // What to poll(2) the client for, while input of somebody's `waits` for the container or not.
  enum class Input : bool { free, waits };
  int events(std::size_t i, Input input) const;
  // Whether its next message has to stay where it is, being input while other input waits.
  bool must_wait(std::size_t i, Input input);

  // The piece is read into here, and then sent to all who are served.
  std::span<char> room_for_output() { return std::span(piece_).subspan(1); }
  std::string_view output(std::size_t size) const { return {&piece_[1], size}; }
  void send(Tag tag, std::size_t size);
  // Its socket has room.
  void deliver(std::size_t i);

  bool is_one_owed() const { return owed_since().has_value(); }
  std::optional<std::chrono::milliseconds> owed_since() const;
  std::size_t served() const;  // without those who were skipped and have not read since
  // Those who have been owed since `moment` or longer miss what they are owed.
  void skip(std::chrono::milliseconds moment);

  // Tells all how init has ended, and waits for room for that as long as given.
  void finish(const sys::Exit& exit, std::chrono::milliseconds patience);

 private:
  static bool offer(Client& client, std::string_view message);
  static bool make_up(Client& client);
  std::string_view piece() const { return {piece_.data(), size_}; }
  std::array<Client, most_clients> clients_;
  std::size_t size_ = 0;  // of the piece, with its tag
  std::array<char, most_message> piece_;
};

}  // namespace umbel::console
