// Memory in a target that belongs to umbel for a while: the stub, the records, room for data.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "checkpoint/remote/batch.h"
#include "checkpoint/remote/pointer.h"

namespace umbel::checkpoint::remote {

// One page of code, then pages of data.
class Scratch {
 public:
  static constexpr std::uint64_t size = 17 * page;

  // Of a traced process, reached through its /proc/PID/mem, which must outlive this.
  static Scratch remote(Pointer base, FdRef memory);
  // One that is mapped here, shared with the target at the same address.
  static Scratch shared(Pointer base, Pointer code);

  Pointer base() const { return base_; }
  Pointer code() const { return code_; }
  Place place() const;
  // For threads that have no stack yet: nothing is ever put there.
  Pointer stack() const { return Pointer(base_.value() + size - 256); }

  Result<void> write(Pointer to, std::span<const std::uint8_t> data) const;
  Result<void> read(Pointer from, std::span<std::uint8_t> into) const;
  // Whether the data pages still have the protection of the code.
  bool fresh() const { return fresh_; }
  void used() { fresh_ = false; }

 private:
  Scratch(Pointer base, Pointer code, std::optional<FdRef> memory)
      : base_(base), code_(code), memory_(memory) {}
  Pointer base_, code_;
  std::optional<FdRef> memory_;
  bool fresh_ = false;
};

}  // namespace umbel::checkpoint::remote
