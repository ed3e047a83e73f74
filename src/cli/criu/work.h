// What is done for whoever asks, on the command line or by a request.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "checkpoint/restore.h"
#include "cli/criu/actions.h"
#include "cli/criu/options.h"

namespace umbel::cli::criu {

// Where the options have it, or on standard error.
Result<void> log(const Options& options, const std::string& line);
void log_failure(const Options& options, const Error& error);
// The reason and its cure, as one line.
std::string whole(const Error& error);

Result<void> dump(const Options& options, const Notify& notify);
Result<void> pre_dump(const Options& options, const Notify& notify);
// `new_master` takes the masters of orphan terminals.
Result<checkpoint::Restored> restore(const Options& options, const Notify& notify,
                                     const std::function<Result<void>(FdRef)>& new_master = {});
// --exec-cmd. Only returns when it can't.
Failure execute(const Options& options);

}  // namespace umbel::cli::criu
