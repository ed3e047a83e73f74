// From the library's choices to a container's config.
#pragma once

#include <umbel/umbel.h>

#include <string>
#include <vector>

#include "container/config.h"

namespace umbel::library {

Result<container::Config> config_of(const Namespaces& namespaces,
                                    const std::vector<std::string>& argv, const Options& options);
// The part of a further program's description that the options decide.
void apply(const Options& options, container::Process& process);
ns::Source source_of(const Source& source);
ns::Kind kind_of(Kind kind);
Kind kind_of(ns::Kind kind);

}  // namespace umbel::library
