// criu check: whether this kernel, and the caller's privileges, suffice.
#pragma once

#include "cli/criu/options.h"

namespace umbel::cli::criu {

Result<int> check(const Options& options);
// The first feature that every dump and restore needs and that is missing.
Result<void> check_needed();
// Whether the kernel notices writes for a chain of dumps.
bool can_track_memory();

}  // namespace umbel::cli::criu
