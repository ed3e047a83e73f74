// The options of a request.
#pragma once

#include <vector>

#include "base/fd.h"
#include "base/id.h"
#include "cli/criu/options.h"
#include "rpc.pb-c.h"

namespace umbel::cli::criu {

struct Asked {
  Options options;
  bool notify = false;
  std::vector<Fd> files;  // of the client's, that the options name
};
// `defaults` come from the configuration files; `client`: whose descriptors the numbers are.
Result<Asked> read_request(const Options& defaults, const Rpc__Options* request, HostPid client);

}  // namespace umbel::cli::criu
