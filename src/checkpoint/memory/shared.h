// Memory that mappings share and that no directory names: shared anonymous memory and memory files.
#pragma once

#include "checkpoint/resource/context.h"

namespace umbel::checkpoint {

bool is_shared_memory(const proc::Mapping& mapping);
// The index in tree.shared; content is copied when it is met for the first time.
Result<std::uint32_t> dump_shared(Dump& dump, const proc::Mapping& mapping, FdRef file);
// A descriptor of the memory, made and filled now if it was not before.
Result<FdRef> restore_shared(Restore& restore, std::uint32_t index);

}  // namespace umbel::checkpoint
