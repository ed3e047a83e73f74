// Messages of rpc.proto as they go over the socket.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "rpc.pb-c.h"

namespace umbel::cli::criu {

// The criu that umbel-criu says to be: clients ask for 3.x to 4.x, and have no other way to know
// what there is.
constexpr int major_version = 4, minor_version = 2;
constexpr std::string_view compatible_version = "4.2";

struct FreeRequest {
  void operator()(Rpc__Request* request) const { ::rpc__request__free_unpacked(request, nullptr); }
};
using Request = std::unique_ptr<Rpc__Request, FreeRequest>;

struct Reply {
  Rpc__Kind kind = RPC__KIND__EMPTY;
  std::optional<HostPid> restored;
  std::optional<int> status;                                  // of a process that was waited for
  std::optional<bool> track_memory, lazy_pages, pidfd_store;  // FEATURE_CHECK: of those asked for
};

// Nothing when the client has gone. EBADMSG: it is no request.
Result<Request> next_request(FdRef socket);
Result<void> send_reply(FdRef socket, const Reply& reply);
Result<void> send_error(FdRef socket, Rpc__Kind kind, const Error& error);
// `passed`, where there is one, goes along.
Result<void> send_notification(FdRef socket, const std::string& stage, HostPid root,
                               FdRef passed = FdRef(-1));

}  // namespace umbel::cli::criu
