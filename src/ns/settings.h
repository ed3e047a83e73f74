// What a new namespace starts with, as plain data. Absent means the kernel's default.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
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

// What a new network namespace gets beside lo.
enum class LinkType : std::uint8_t { veth, macvlan, bridge, host };
constexpr auto name_table(LinkType) {
  struct Entry {
    LinkType value;
    std::string_view name;
  };
  return std::to_array<Entry>({{LinkType::veth, "veth"},
                               {LinkType::macvlan, "macvlan"},
                               {LinkType::bridge, "bridge"},
                               {LinkType::host, "host"}});
}
struct Link {
  std::string name;
  LinkType type = LinkType::veth;
  // Where it is made from: veth: its other end; macvlan: the link that it lies on; host: the link
  // that moves in, and comes back when the namespace ends.
  std::string outside;
};
void fields(auto& archive, Link& l) {
  archive("name", l.name);
  archive("type", l.type);
  archive("outside", l.outside);
}
struct Address {
  std::string link, address;  // "eth0", "10.0.0.2/24"
};
void fields(auto& archive, Address& a) {
  archive("link", a.link);
  archive("address", a.address);
}
struct Route {
  std::string to, gateway;  // "default" or "10.1.0.0/16"; "10.0.0.1"
};
void fields(auto& archive, Route& r) {
  archive("to", r.to);
  archive("gateway", r.gateway);
}

struct Settings {
  std::optional<std::string> hostname, domainname;  // uts
  std::vector<IdRange> uid_map, gid_map;            // user
  bool deny_setgroups = false;                      // user: where one's own gid is mapped alone
  std::optional<std::int64_t> monotonic_offset, boottime_offset;  // time: nanoseconds
  std::map<std::string, std::string> sysctls;                     // "net.core.somaxconn" -> "512"
  bool loopback_up = true;                                        // net
  std::vector<Link> links;                                        // net
  std::vector<Address> addresses;                                 // net
  std::vector<Route> routes;                                      // net
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
  archive("links", s.links);
  archive("addresses", s.addresses);
  archive("routes", s.routes);
}

}  // namespace umbel::ns
