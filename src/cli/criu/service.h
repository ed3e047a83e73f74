// criu's RPC: requests by protobuf messages over a SOCK_SEQPACKET socket.
#pragma once

#include "cli/criu/options.h"

namespace umbel::cli::criu {

// `swrk N`: serves who holds the other end of the socket that was inherited as descriptor N.
Result<int> service_worker(const Options& options);
// Listens at --address and serves each client in a process of its own, until it is told to end.
Result<int> service(const Options& options);

}  // namespace umbel::cli::criu
