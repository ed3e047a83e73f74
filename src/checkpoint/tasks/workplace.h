// The memory that umbel shares with all processes that it restores: one page of code, then a
// scratch for each. It is mapped before the first of them is born, so that nothing has to be put
// into any.
#pragma once

#include "base/error.h"
#include "checkpoint/image/records.h"
#include "checkpoint/remote/scratch.h"
#include "sys/memory.h"

namespace umbel::checkpoint {

class Workplace {
 public:
  // At an address that is free here and in every process of the image.
  static Result<Workplace> make(const image::Tree& tree);
  // One for each process of the image, in its order, and one more.
  remote::Scratch scratch(std::size_t index) const;
  remote::Pointer start() const { return remote::Pointer(memory_.address()); }
  std::uint64_t size() const { return memory_.size(); }

 private:
  explicit Workplace(sys::Mapped memory) : memory_(std::move(memory)) {}
  sys::Mapped memory_;
};

}  // namespace umbel::checkpoint
