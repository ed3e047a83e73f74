// A filter's listener: whoever holds it answers the system calls that the filter notifies of. It
// comes into being in the container's process and goes to a socket of the host.
#pragma once

#include <functional>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "container/config.h"
#include "container/talk.h"
#include "security/seccomp.h"

namespace umbel::container {

// In the process that shall be filtered: the listener goes through the channel, and this returns
// when the other side has handed it on.
Result<void> install_notifying(const security::Filter& filter, FdRef channel);

// On that other side: to the profile's listenerPath, with the container's state. `pid` is the
// filtered process.
Result<void> hand_on_listener(FdRef channel, const Heard& heard, const Config& config,
                              std::string_view status, HostPid pid);

}  // namespace umbel::container
