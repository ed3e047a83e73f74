// Keeps connections alive while nobody has them: a packet-filter table in their network namespace
// drops what goes between the two ends, which each takes for a slow network.
#pragma once

#include <span>
#include <string>

#include "base/error.h"
#include "base/fd.h"
#include "sys/socket.h"

namespace umbel::checkpoint {

struct Ends {
  sys::Address local, peer;
};
// All in the namespace `ns`; `table` must be new there.
Result<void> hold(FdRef ns, const std::string& table, std::span<const Ends> connections);
// Success also where there is no such table.
Result<void> let_flow(const std::string& table);

}  // namespace umbel::checkpoint
