// The files stats-dump and stats-restore, in criu's format.
#pragma once

#include "base/fd.h"
#include "checkpoint/dump.h"
#include "checkpoint/restore.h"

namespace umbel::cli::criu {

Result<void> write_statistics(FdRef dir, const checkpoint::DumpStatistics& done);
Result<void> write_statistics(FdRef dir, const checkpoint::RestoreStatistics& done);

}  // namespace umbel::cli::criu
