#pragma once

#include "base/error.h"
#include "ns/settings.h"

namespace umbel::ns::time {
Result<void> apply(const Settings& settings);
Result<void> capture(Settings& settings);
}  // namespace umbel::ns::time
