// Descriptors that lead out of the tree and are left to whoever restores it.
#pragma once

#include "checkpoint/resource/context.h"

namespace umbel::checkpoint {

// The name by which the options say that a descriptor is one of them: what it is linked to, or
// tty[RDEV:DEV], file[MOUNT:INODE] in hexadecimal, unix[INODE].
std::optional<std::string> external_name(const DumpOptions& options,
                                         const inspect::Descriptor& descriptor);
image::File dump_external(const inspect::Descriptor& descriptor, const std::string& name);
// The descriptor that the options of the restore give for this file; nothing where they don't.
Result<std::optional<Fd>> inherited(const RestoreOptions& options, const image::File& file);
bool is_inherited(const RestoreOptions& options, const image::File& file);

}  // namespace umbel::checkpoint
