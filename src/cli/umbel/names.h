// What the commands about named namespaces share.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "cli/umbel/records.h"
#include "ns/named.h"
#include "ns/users.h"

namespace umbel::cli {

Result<ns::Names> open_names();
// Without the process that only holds it.
std::vector<HostPid> users_of(const ns::Name& name, const ns::Users& users);
Result<NameRecord> record_of(const ns::Name& name, const std::vector<ns::Name>& all,
                             const ns::Users& users);

}  // namespace umbel::cli
