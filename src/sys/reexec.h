// The running program's own file, kept from whom it starts.
#pragma once

#include <span>
#include <string>

#include "base/error.h"

namespace umbel::sys {

// A container can open /proc/PID/exe of every process of ours that it sees, and could overwrite the
// host's file through it (CVE-2019-5736). Executes the program anew from where nobody can write to
// it; returns when it runs from there already, or could not be written to anyway.
Result<void> protect_own_file(std::span<const std::string> args);

}  // namespace umbel::sys
