// What create, run and restore have in common: a bundle becomes a container with a first process.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "cli/oci/bundle.h"
#include "cli/oci/commands.h"
#include "container/launch.h"

namespace umbel::cli::oci {

struct Handing {
  std::string console_socket, pidfd_socket, pid_file;
};

enum class Then { wait, run };  // at its gate, or at once
struct Making {
  std::string id;
  bool detached = true;
  Then then = Then::wait;
  std::optional<std::uint64_t> preserved = std::nullopt;
  const container::Revival* revival = nullptr;  // what fills it instead of its command
};
struct Made {
  container::Container container;
  container::Launched launched;
};
// On an error nothing is left.
Result<Made> make(const Global& global, const BundleOptions& bundle, const Handing& handing,
                  const Making& making);
// In the foreground, until it ends.
Result<sys::Exit> wait(Made& made, const container::SignalRelay& signals);

}  // namespace umbel::cli::oci
