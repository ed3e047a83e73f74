// Links, addresses and routes: rtnetlink(7). Spoken directly: umbel needs five requests, for which
// libnl-route would bring 600 KB and tables that are filled at each start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

// Works on the network namespace in which it was opened, whoever uses it from where.
Result<Fd> open_netlink();

struct NewLink {
  std::string name;
  std::string type;                          // "veth", "macvlan", "bridge"
  std::optional<FdRef> into = std::nullopt;  // the network namespace that it shall be in
  std::string peer = {};                     // veth: the other end, which stays here
  std::uint32_t parent = 0;                  // macvlan: the index of the link it lies on
};
Result<void> add_link(FdRef netlink, const NewLink& link);
// The link's index; ENODEV where there is none of that name.
Result<std::uint32_t> link_index(FdRef netlink, const std::string& name);
// Into another network namespace, under another name.
Result<void> move_link(FdRef netlink, std::uint32_t index, FdRef into, const std::string& name);
Result<void> set_link_up(FdRef netlink, std::uint32_t index);
Result<void> remove_link(FdRef netlink, std::uint32_t index);

// "10.0.0.1/24", "fd00::1/64"; without a length all bits count.
struct IpPrefix {
  bool version6 = false;
  std::string bytes;  // 4 or 16
  std::uint8_t length = 0;
};
Result<IpPrefix> parse_prefix(const std::string& text);
Result<void> add_address(FdRef netlink, std::uint32_t link, const IpPrefix& address);
// By way of a gateway.
Result<void> add_route(FdRef netlink, const IpPrefix& to, const IpPrefix& gateway);

}  // namespace umbel::sys
