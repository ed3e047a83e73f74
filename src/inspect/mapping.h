// Memory that a checkpoint can't carry: the one table that the verdict before a checkpoint and the
// dump both ask.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proc/maps.h"

namespace umbel::inspect {

struct RefusedMapping {
  std::string_view flag, what, cure;  // flag: of VmFlags in smaps, where that tells
};
// Nothing where it is carried. Needs a mapping from smaps.
std::optional<RefusedMapping> refused(const proc::Mapping& mapping);

// "7f0000000000-7f0000001000 (/path)".
std::string range_text(const proc::Mapping& mapping);

}  // namespace umbel::inspect
