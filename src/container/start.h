// The part that a foreground and a detached start share.
#pragma once

#include "base/error.h"
#include "container/launch.h"
#include "container/store.h"

namespace umbel::container {

// Opens what is joined, prepares files and filter, makes the cgroup with its limits, launches, and
// keeps the record true at each step. On an error nothing is left but the record, as it was.
struct Start {
  Stdio stdio;
  unsigned preserved = 0;            // descriptors after the first three that the command gets
  const Revival* revival = nullptr;  // what fills it instead of its command
  bool wait = false;                 // at a gate, until release() lets it become the command
};
Result<Launched> start(Container& container, const Start& how);

// The command's filter, compiled or from the cache; nothing where the config wants none.
Result<std::optional<security::Filter>> filter_of(const Process& process, const Home& home);

// The directory, and then whoever wanted to know that it is gone: the poststop hooks.
Result<void> forget(Container& container);

// After init was reaped: records how it ended, removes the cgroup, and everything with --rm.
Result<void> finish(Container& container, const sys::Exit& exit);

// One of another container's namespaces; the error says why it can't be shared.
Result<Fd> open_namespace_of(const Home& home, const ns::KindInfo& kind, const std::string& name);
// What a container can join that is not a path: another container's, or one with a name.
Result<Fd> open_source(const Home& home, const ns::KindInfo& kind, const ns::Source& source);

}  // namespace umbel::container
