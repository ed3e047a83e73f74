// Locks on files, which fdinfo shows with the descriptors through which they were taken.
#pragma once

#include "checkpoint/resource/context.h"

namespace umbel::checkpoint {

enum class LockOwner { process, open_file };
// Refused unless the options say that locks are carried.
Result<std::vector<image::Lock>> dump_locks(const Dump& dump, const inspect::Descriptor& descriptor,
                                            LockOwner owner);
// Those of an open file, by umbel.
Result<void> restore_locks(const image::File& record, FdRef file);
// Those of the process, when it will close no descriptor any more.
Result<void> restore_locks(Inside& in);

}  // namespace umbel::checkpoint
