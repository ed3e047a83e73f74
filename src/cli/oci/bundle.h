// A bundle as create and run take it: its configuration, with what this host and the flags make of
// it.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "container/config.h"

namespace umbel::cli::oci {

struct BundleOptions {
  std::string path;  // empty: the working directory
  bool no_pivot = false, same_keyring = false;
};
struct Bundle {
  container::Config config;
  std::vector<std::string> warnings;
};
Result<Bundle> read(const BundleOptions& options, const std::string& id);

}  // namespace umbel::cli::oci
