// The only machine code that umbel puts into another process: a loop over records.
#pragma once

#include <cstdint>
#include <span>

namespace umbel::checkpoint::remote {

// Position-independent. It is entered at loop_entry with
//   rbx  the first record
//   r13  the record to go on with when one that must succeed has failed
// and runs record after record without end: the last one must be a call that does not come back,
// or ask to go on at way_back.
// Entered at call_entry it makes the call in the registers first.
struct Stub {
  std::span<const std::uint8_t> code;
  std::uint64_t call_entry = 0, loop_entry = 0;
  std::uint64_t after_call = 0;  // where the instruction pointer is while a record's call is made
  std::uint64_t way_back = 0;    // where a record that asks for it goes on; not part of the code
};
Stub stub();

}  // namespace umbel::checkpoint::remote
