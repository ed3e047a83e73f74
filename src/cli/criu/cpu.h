// What a processor can do, for whoever wants to know before a restore elsewhere.
#pragma once

#include "cli/criu/options.h"

namespace umbel::cli::criu {

// Writes it into the images directory, as the file cpuinfo.img.
Result<void> dump_cpu(const Options& options);
// Fails, and says why, where this machine's processor lacks what that one had.
Result<void> check_cpu(const Options& options);
// The command: the word after it is "dump" or "check".
Result<int> cpuinfo(const Options& options);

}  // namespace umbel::cli::criu
