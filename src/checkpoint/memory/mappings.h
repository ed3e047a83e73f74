// The mappings of a process: described for the image, and made again.
#pragma once

#include "checkpoint/memory/family.h"
#include "checkpoint/resource/context.h"

namespace umbel::checkpoint {

// Fills record.memory.mappings, and the files and shared memory that they show. What can't be
// carried is refused by name.
Result<void> dump_mappings(Dump& dump, ProcessDump& process);

// Only what is needed to find its pages.
image::Mapping outline(const proc::Mapping& mapping);

// Adds the calls that make the mappings, in a process that has none but the scratch, or those of
// its parent.
Result<void> restore_mappings(Inside& in, const std::optional<Heritage>& heritage);
// After the pages are in: locks, advice, seals.
Result<void> finish_mappings(Inside& in);

}  // namespace umbel::checkpoint
