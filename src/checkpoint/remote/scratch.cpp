// Through /proc/PID/mem both the code page, which the target may not write, and the data can be
// written. A shared scratch is simply memory.
#include "checkpoint/remote/scratch.h"

#include <cstring>

#include "sys/remote_memory.h"

namespace umbel::checkpoint::remote {

Scratch Scratch::remote(Pointer base, FdRef memory) {
  Scratch made(base, base, memory);
  made.fresh_ = true;
  return made;
}

Scratch Scratch::shared(Pointer base, Pointer code) { return {base, code, std::nullopt}; }

Place Scratch::place() const {
  constexpr std::uint64_t stack_room = 256;
  constexpr std::uint64_t usable = size - page - stack_room, half = usable / 2;
  return {.records = Pointer(base_.value() + page),
          .record_bytes = half,
          .data = Pointer(base_.value() + page + half),
          .data_bytes = usable - half};
}

Result<void> Scratch::write(Pointer to, std::span<const std::uint8_t> data) const {
  if (memory_)
    return during("writing the scratch pages", sys::write_all_at(*memory_, to.value(), data));
  if (!data.empty()) std::memcpy(reinterpret_cast<void*>(to.value()), data.data(), data.size());
  return {};
}

Result<void> Scratch::read(Pointer from, std::span<std::uint8_t> into) const {
  if (memory_)
    return during("reading the scratch pages", sys::read_all_at(*memory_, from.value(), into));
  if (!into.empty())
    std::memcpy(into.data(), reinterpret_cast<const void*>(from.value()), into.size());
  return {};
}

}  // namespace umbel::checkpoint::remote
