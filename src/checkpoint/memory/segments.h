// The System V shared memory of the ipc namespace that the caller is in: segments by themselves,
// whoever has them attached. In an image each is one of tree.shared.
#pragma once

#include <span>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "checkpoint/image/records.h"
#include "checkpoint/image/store.h"
#include "sys/process.h"

namespace umbel::checkpoint {

bool is_segment(const image::SharedMemory& record);

// `memory`: its content, opened for reading.
Result<image::SharedMemory> capture_segment(image::Writer& writer, int id, FdRef memory);
// Every one that there is.
Result<std::vector<image::SharedMemory>> capture_segments(image::Writer& writer);

// Segments that were made with the numbers, keys and owners that they had. They vanish with this,
// and with the caller's death, unless they are kept.
class Segments {
 public:
  Segments() = default;
  Segments(Segments&&) = default;
  Segments& operator=(Segments&&) = default;
  ~Segments();
  // Those among `shared`. The caller has one thread.
  static Result<Segments> make(std::span<const image::SharedMemory> shared);
  // When whatever is to attach them has done so: those that go with their last mapping.
  Result<void> mark_removed();
  void keep();

 private:
  std::vector<int> to_remove_;
  sys::Process keeper_;
  Fd line_;
};
// The content of one that was made, as a file.
Result<Fd> fill_segment(const image::Reader& reader, const image::SharedMemory& record);

}  // namespace umbel::checkpoint
