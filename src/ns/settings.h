// What a new namespace starts with, as plain data. Absent means the kernel's default.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace umbel::ns {

// Ids from `inside` on are those from `outside` on in the parent user namespace. Source:
// user_namespaces(7).
struct IdRange {
  std::uint32_t inside = 0, outside = 0, count = 0;
  friend bool operator==(const IdRange&, const IdRange&) = default;
};
void fields(auto& archive, IdRange& r) {
  archive("containerID", r.inside);
  archive("hostID", r.outside);
  archive("size", r.count);
}

struct Settings {
  std::optional<std::string> hostname, domainname;  // uts
  std::vector<IdRange> uid_map, gid_map;            // user
  bool deny_setgroups = false;                      // user: where one's own gid is mapped alone
  std::optional<std::int64_t> monotonic_offset, boottime_offset;  // time: nanoseconds
  std::map<std::string, std::string> sysctls;                     // "net.core.somaxconn" -> "512"
  bool loopback_up = true;                                        // net
};
void fields(auto& archive, Settings& s) {
  archive("hostname", s.hostname);
  archive("domainname", s.domainname);
  archive("uidMap", s.uid_map);
  archive("gidMap", s.gid_map);
  archive("denySetgroups", s.deny_setgroups);
  archive("monotonicOffset", s.monotonic_offset);
  archive("boottimeOffset", s.boottime_offset);
  archive("sysctls", s.sysctls);
  archive("loopbackUp", s.loopback_up);
}

}  // namespace umbel::ns
