// An OCI bundle as what umbel starts: config.json -> container::Config.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "container/config.h"

namespace umbel::oci {

// What the specification wants said rather than refused, such as a capability that nobody knows.
using Warnings = std::vector<std::string>;

// DIR/config.json. Paths of the host come out absolute. The name is left empty, and the cgroup
// where the document names none.
Result<container::Config> read_bundle(const std::string& dir, Warnings* warnings = nullptr);

// Every error begins with the path of the field: "linux.namespaces[2].type: ...".
Result<container::Config> from_spec(const Value& document, const std::string& bundle,
                                    Warnings* warnings = nullptr);
// The specification's `process` as a document of its own, as `exec --process` reads it.
Result<container::Process> from_process(const Value& document, Warnings* warnings = nullptr);

}  // namespace umbel::oci
