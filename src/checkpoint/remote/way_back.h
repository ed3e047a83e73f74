// Machine code by which a thread returns to what it was doing, without anybody's help.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "checkpoint/remote/pointer.h"
#include "checkpoint/remote/session.h"

namespace umbel::checkpoint::remote {

// To be put at `at`. Entered at its first byte it makes the call that is in the registers, then
// puts back the mask and the registers of `cpu` and goes on there; entered at way_back_entry it
// leaves the call out. Of the extended state it changes nothing, and it uses no stack.
std::vector<std::uint8_t> way_back(const Cpu& cpu, Pointer at);
constexpr std::uint64_t way_back_entry = 2;
constexpr std::uint64_t way_back_size = 256;
// Its last bytes: what an umbel that was killed has left can be told and used again.
constexpr std::string_view way_back_mark = "umbelway";

}  // namespace umbel::checkpoint::remote
