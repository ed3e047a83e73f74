// Pages that parent and child still have in common since a fork. They are in the image once, as the
// parent's; at the restore a child is born with them again.
#pragma once

#include "checkpoint/memory/pages.h"
#include "checkpoint/resource/context.h"

namespace umbel::checkpoint {

// A parent that is dumped together with its child.
struct Parent {
  const Process& process;
  const image::Memory& memory;
};
// Takes such pages out of `own`, and says so in memory.with_parent. Nothing is found without
// CAP_SYS_ADMIN, which it takes to see page numbers.
Result<void> leave_to_parent(const Parent& parent, const Process& process, image::Memory& memory,
                             OwnPages& own);

// ---- restore ----

// What a process has the moment that it is born: its parent's memory, and the place where umbel
// works, which stays.
struct Heritage {
  const image::Memory& parent;
  std::uint64_t workplace = 0, workplace_size = 0;
};
// The protection that a mapping is made with.
std::uint32_t first_protection(const image::Mapping& mapping);
// Mapped writable first, as it once was: only so is it accounted for again.
bool was_writable(const image::Mapping& mapping);
// Whether this mapping, of `memory`, is kept from the parent rather than made anew.
bool is_kept(const Heritage& heritage, const image::Memory& memory, const image::Mapping& mapping);
// Gives up everything else that the process was born with; what is kept gets its own protection and
// loses the pages that only the parent has.
Result<void> keep_from_parent(Inside& in, const Heritage& heritage);

}  // namespace umbel::checkpoint
