// Recognising a process again, and the clock that states are dated by.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "base/id.h"
#include "container/store.h"

namespace umbel::container {

Result<ProcessId> identify(HostPid pid);
// Exists, is the same one, and is no zombie.
bool is_alive(const ProcessId& process);
// Nanoseconds since 1970.
std::int64_t now();

}  // namespace umbel::container
