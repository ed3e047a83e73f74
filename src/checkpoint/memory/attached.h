// System V segments as processes have them attached.
#pragma once

#include "checkpoint/resource/context.h"

namespace umbel::checkpoint {

bool is_segment(const proc::Mapping& mapping);
// The index in tree.shared; `file` is the one that is mapped.
Result<std::uint32_t> dump_segment(Dump& dump, const ProcessDump& process,
                                   const proc::Mapping& mapping, FdRef file);
// Of a tree that was killed: those that no mapping was left of.
void remove_segments(const image::Tree& tree);
Result<void> attach_segment(Inside& in, const image::Mapping& mapping);

}  // namespace umbel::checkpoint
