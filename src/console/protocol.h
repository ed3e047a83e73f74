// What a monitor and its clients say to each other over SOCK_SEQPACKET: a byte that says what the
// message is, then its content, as both are on one machine in the order of its memory. Where the
// versions differ, nothing but hello and welcome is understood, whose first byte stays the version.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "sys/terminal.h"

namespace umbel::console {

constexpr std::uint8_t protocol_version = 1;

enum class Tag : char {
  // From a client:
  hello = 'h',   // Hello; first
  input = 'i',   // bytes for the container
  end = 'e',     // no more input will follow
  window = 'w',  // Window
  // From the monitor:
  welcome = 'W',  // Welcome; the answer to hello, output follows
  refused = 'r',  // too many clients
  out = 'o',      // bytes from the container
  err = 'E',
  missed = 'm',  // std::uint64_t: so many bytes of output were not kept for a client that did not
                 // read
  exit = 'x',    // sys::Exit; last
};

struct Window {
  sys::WindowSize size;
  // 1: the program shall redraw its screen, also where the size is what it was.
  std::uint8_t redraw = 0;
};
struct Hello {
  std::uint8_t version = protocol_version;
  Window window;  // 0 rows: no terminal
};
// What the log held when output began to flow to the client.
struct LogPosition {
  std::uint64_t inode = 0, size = 0;
};
struct Welcome {
  std::uint8_t version = protocol_version;
  LogPosition log;
};

constexpr std::size_t most_clients = 32;
// Bytes of a container's in- or output in a message, at most.
constexpr std::size_t most_bytes = 16384;
constexpr std::size_t most_message = 1 + most_bytes;

template <class Content>
struct Packed {
  char bytes[1 + sizeof(Content)];  // NOLINT: what is sent
  Packed(Tag tag, const Content& content) {
    bytes[0] = static_cast<char>(tag);
    std::memcpy(&bytes[1], &content, sizeof content);
  }
  std::string_view text() const { return {&bytes[0], sizeof bytes}; }
};

// Of a message without its first byte; nullopt where it is too short to be one.
template <class Content>
std::optional<Content> unpacked(std::string_view text) {
  if (text.size() < sizeof(Content)) return std::nullopt;
  std::array<char, sizeof(Content)> bytes;
  text.copy(bytes.data(), bytes.size());
  return std::bit_cast<Content>(bytes);
}

}  // namespace umbel::console
