// The kinds of open files that the engine carries. inspect/kind.cpp says the same to whoever asks
// before a checkpoint; a test holds the two together.
#include <algorithm>
#include <array>

#include "checkpoint/resource/file_kind.h"

namespace umbel::checkpoint {

// Each is defined in the file of its name.
extern const FileKind regular_file, directory, memory_device, pipe_end, fifo, event_descriptor,
    epoll_instance, timer_descriptor, signal_descriptor, watches, memory_file, unix_socket,
    tcp_socket, udp_socket, terminal;

std::span<const FileKind> file_kinds() {
  static const std::array all{
      regular_file,     directory,      memory_device,    pipe_end,          fifo,
      event_descriptor, epoll_instance, timer_descriptor, signal_descriptor, watches,
      memory_file,      unix_socket,    tcp_socket,       udp_socket,        terminal};
  return all;
}

const FileKind* find_kind(inspect::Kind kind) {
  const auto found = std::ranges::find(file_kinds(), kind, &FileKind::kind);
  return found == file_kinds().end() ? nullptr : &*found;
}

const FileKind* find_kind(const std::string& name) {
  for (const FileKind& known : file_kinds())
    if (inspect::info(known.kind).name == name) return &known;
  return nullptr;
}

}  // namespace umbel::checkpoint
