// The verdict of umbel check, for a command that goes on only if it is satisfied.
#pragma once

#include <set>
#include <string>

#include "base/error.h"

namespace umbel::cli {

struct Demand {
  std::string container, policy;
  std::set<std::string> external;  // what leads outside but is no matter
};
// Otherwise everything that speaks against it is printed to standard error, and the error is short.
Result<void> demand(const Demand& demand);

}  // namespace umbel::cli
