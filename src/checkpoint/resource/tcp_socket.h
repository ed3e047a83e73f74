// TCP sockets: those that listen, connections, and ones that are neither yet.
#pragma once

#include "checkpoint/resource/context.h"

namespace umbel::checkpoint {

// Holds off the peers of all connections of the tree, before the first of them is looked at; does
// nothing where there are none, or where they go on.
Result<void> hold_connections(Dump& dump);
// Their sockets are about to end: none of them is to tell its peer.
Result<void> end_connections_silently(Dump& dump);

}  // namespace umbel::checkpoint
