// What a pipe holds, whether it has a name or not.
#pragma once

#include "checkpoint/resource/file_kind.h"

namespace umbel::checkpoint {

struct PipeContent {
  std::int32_t capacity = 0;
  std::vector<image::Bytes> packets;  // in a stream: one, with everything
  bool is_packets = false;
};
void fields(auto& archive, PipeContent& p) {
  archive("capacity", p.capacity);
  archive("packets", p.packets);
  archive("is_packets", p.is_packets);
}

// `file` is either end, or both, and stays as it was.
Result<PipeContent> read_pipe(FdRef file);
// `writing` must be O_NONBLOCK, and have O_DIRECT where the content is packets.
Result<void> fill_pipe(const PipeContent& content, FdRef writing);

}  // namespace umbel::checkpoint
