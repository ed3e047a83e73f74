// A process that does nothing but be there: the first one of a named pid namespace, or the one that
// an ordinary user's mount namespace needs. It keeps no memory but its stack, and no descriptors.
#pragma once

#include <string>

namespace umbel::ns {

// Becomes it. Ends by SIGKILL alone; reaps whatever becomes its child.
[[noreturn]] void hold(const std::string& name);

}  // namespace umbel::ns
