#pragma once

#include "base/error.h"
#include "base/fd.h"
#include "ns/settings.h"

namespace umbel::ns::net {
Result<void> apply(const Settings& settings);
Result<void> capture(Settings& settings);

// Links, addresses and routes of a new namespace, from inside. `outside` is a netlink socket of the
// network namespace that veth, macvlan and host links come from. After an error the links that were
// made end with the namespace.
Result<void> wire(const Settings& settings, FdRef outside);

// "eth0=veth:lab0", "eth0=macvlan:enp3s0", "eth0=host:enp3s0", "br0=bridge"
Result<Link> parse_link(std::string_view text);
// "eth0=10.0.0.2/24"
Result<Address> parse_address(std::string_view text);
// "default=10.0.0.1", "10.1.0.0/16=10.0.0.1"
Result<Route> parse_route(std::string_view text);
}  // namespace umbel::ns::net
