// criu check: whether this kernel, and the caller's privileges, suffice.
#pragma once

#include "cli/criu/options.h"

namespace umbel::cli::criu {

Result<int> check(const Options& options);

}  // namespace umbel::cli::criu
