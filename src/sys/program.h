// Another program, run to its end.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

// Found along $PATH, given `input` and nothing else; an error with what it has complained about
// unless it ends with 0. ENOENT: there is no such program. In the namespaces of this thread.
Result<void> run_program(std::span<const std::string> words, std::string_view input);
// For a process that has entered another mount namespace, where other programs or none are: from
// then on they are found in that one, and run in it.
void keep_programs(Fd mount_namespace);

}  // namespace umbel::sys
