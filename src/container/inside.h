// What init does inside its new namespaces until it is the command or its reaper.
#pragma once

#include "base/fd.h"
#include "container/launch.h"

namespace umbel::container {

// Never returns; an error goes out through the channel.
[[noreturn]] void inside(const Config& config, Surroundings& around, Fd channel);

}  // namespace umbel::container
