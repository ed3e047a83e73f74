// An ordinary user can bind namespaces to names only in a mount namespace of an own user namespace,
// and that one needs a process: the keeper. It is started with the first name and ended with the
// last.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "ns/aside.h"

namespace umbel::ns {

// Whether this process may bind and mount where it is, and needs no keeper.
bool may_mount();

struct Keeper {
  HostPid pid;
  std::uint64_t start_time = 0;  // as in /proc/PID/stat: a pid alone may belong to another by now
};

// The one that is recorded in `home` and still alive.
Result<std::optional<Keeper>> find_keeper(FdRef home);
// Starts one; in its mount namespace `set_up` has been called. The caller holds the lock of names.
Result<Keeper> start_keeper(FdRef home, const std::function<Result<void>()>& set_up);
Result<void> end_keeper(FdRef home, const Keeper& keeper);
// In a child of one's own: enters its user and mount namespace, as root of the former.
Result<void> enter_keeper(const Keeper& keeper);
// Runs `body` in there.
Result<Brought> beside_keeper(const Keeper& keeper, const std::function<Result<Brought>()>& body);

}  // namespace umbel::ns
