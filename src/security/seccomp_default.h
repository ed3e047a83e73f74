// What stands for the built-in profile in the key of a cached filter.
#pragma once

#include <string>

#include "security/capabilities.h"

namespace umbel::security {

// Equal for two capability sets exactly when the built-in profile's rules are: a hash of its lines,
// taken when this was compiled, and those of the capabilities that a line asks about.
std::string default_seccomp_key(CapSet capabilities);

}  // namespace umbel::security
