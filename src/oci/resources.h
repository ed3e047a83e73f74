// linux.resources as limits of a cgroup.
#pragma once

#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "cgroup/limits.h"
#include "oci/spec.h"

namespace umbel::oci {

// Where a number has no use as a limit, zero means "not given": engines write it that way.
cgroup::Limits limits_of(const Resources& resources);
// The document's rules, then what every container may use.
std::vector<cgroup::DeviceRule> device_rules_of(const Resources& resources);

Result<Resources> read_resources(const Value& document);

}  // namespace umbel::oci
