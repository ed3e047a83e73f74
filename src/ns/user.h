// User namespaces: id maps. user_namespaces(7), newuidmap(1), subuid(5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "ns/settings.h"

namespace umbel::ns::user {

// Becomes root of the new namespace, once its maps are written.
Result<void> apply(const Settings& settings);
// The maps of the caller's own namespace.
Result<void> capture(Settings& settings);

// Writes the maps of a process in a new user namespace, from its parent namespace: directly with
// CAP_SETUID and for a single id of one's own, else through newuidmap and newgidmap.
Result<void> write_maps(HostPid pid, const Settings& settings);

// What an ordinary user may map: own id as root, and the ranges of /etc/subuid and /etc/subgid
// after it where newuidmap is installed. `note` says what is missing.
struct Available {
  std::vector<IdRange> uid_map, gid_map;
  bool deny_setgroups = false;
  std::string note;
};
Result<Available> available_maps();

// "0:100000:65536"
Result<IdRange> parse_range(std::string_view text);

}  // namespace umbel::ns::user
