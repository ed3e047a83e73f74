// How a descriptor that leads out of a tree is named, by whoever has it outside.
#pragma once

#include <string>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::checkpoint {

// Of one's own: what it is linked to (pipe:[1]), or file[MOUNT:INODE] in hexadecimal for one with a
// path, which may lead elsewhere in the tree's file system; empty for none. To be named in
// DumpOptions::external, and again in RestoreOptions::inherited.
Result<std::string> name_of(FdRef own);

}  // namespace umbel::checkpoint
