// Files of /proc that nobody could have put something else in the place of: where a container may
// mount, a write to /proc/self/attr/exec or oom_score_adj could be led to another file, and a label
// would silently not be set.
#pragma once

#include <string>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

// The procfs mounted at `path`, checked to be one and to be its top. O_PATH.
Result<Fd> open_procfs(const std::string& path = "/proc");
// A file of it, by a path such as "thread-self/attr/exec": no mount on the way is crossed and no
// magic link followed.
Result<Fd> open_in_procfs(FdRef procfs, const std::string& path, int flags);

// The path of a file of this process's own /proc: "/proc/12/maps". After keep_procfs() it is
// relative, and leads there from the working directory.
std::string proc_path(const std::string& file);
// For a process that has entered another mount namespace, where another /proc or none is: makes the
// one that it knew before its working directory, which it must stay from then on.
Result<void> keep_procfs(FdRef procfs);

}  // namespace umbel::sys
