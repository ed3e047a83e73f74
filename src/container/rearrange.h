// Other namespaces for a container that exists: what the kernel lets be changed, and what it does
// not.
//
// setns(2) moves the caller alone: no process can be moved by another. So a running container's
// processes stay where they are, and those that `exec` starts from then on are elsewhere; the next
// start puts all of them there. A pid namespace is given to a process at its birth, and processes
// of one container in several could not wait for each other; a user or time namespace that differs
// from that of its first process would make the later ones strangers to what the others own. These
// three wait for the next start.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "container/store.h"
#include "ns/set.h"

namespace umbel::container {

// By ns::KindInfo::option.
using Moves = std::map<std::string, ns::Source>;

// Into config and state, all or none of them; the container's lock must be held. What a running
// container needs new is made under the container's own name, as `umbel ns create` would. Answers
// what a person should know.
Result<std::vector<std::string>> rearrange(Container& container, const Moves& moves);

// The namespaces that a further process enters instead of those of the first one.
struct Elsewhere {
  std::uint64_t kinds = 0;  // CLONE_NEW* of all that differ, with those that are the host's
  struct One {
    const ns::KindInfo* kind;
    Fd ns;
  };
  std::vector<One> joined;
};
Result<Elsewhere> elsewhere(const Container& container);

// CLONE_NEW* of the kinds in which the process differs from the caller: joining one's own user
// namespace would be refused.
Result<std::uint64_t> differing(HostPid pid);

// In a child of one's own: enters the container, `join` being the kinds in which its first process
// (by pidfd) differs from the caller, and what is elsewhere.
Result<void> enter(FdRef init, std::uint64_t join, const Elsewhere& elsewhere);

}  // namespace umbel::container
