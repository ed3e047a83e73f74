// The descriptors of a process, with their kinds.
#pragma once

#include <vector>

#include "inspect/kind.h"
#include "inspect/process.h"

namespace umbel::inspect {

// In the order of their numbers. What was closed meanwhile is left out.
Result<std::vector<Descriptor>> descriptors(const Process& process);

// One of them; `number` must be open.
Result<Descriptor> descriptor(const Process& process, int number);

// Why a checkpoint can't carry this descriptor, with the cure; success where it can.
Result<void> verdict(const Process& process, const Descriptor& descriptor);

// The same for what was sent to the program and it has not read yet.
Result<void> unread(Kind kind, FdRef file);

}  // namespace umbel::inspect
