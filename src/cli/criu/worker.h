// One client of the service.
#pragma once

#include "base/fd.h"
#include "cli/criu/options.h"

namespace umbel::cli::criu {

enum class Descriptors { inherited, apart };  // whether the client's are known here too
// Answers its requests until it goes away or has nothing more to ask. `defaults`: what the
// configuration files say.
Result<void> serve(FdRef socket, const Options& defaults, Descriptors descriptors);

}  // namespace umbel::cli::criu
