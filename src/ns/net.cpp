// A new network namespace has only a loopback link, and that is down. A link that leads outside is
// made by a request to the outer namespace that names the inner one by descriptor, so that it
// appears in its place at once and never under a name that could clash outside. A veth pair ends
// with either end's namespace; a link that moved in goes back to the initial namespace, if it is a
// physical one.
#include "ns/net.h"

#include <net/if.h>

#include "base/text.h"
#include "ns/sysctl.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/netlink.h"

namespace umbel::ns::net {

namespace {

constexpr std::string_view outer_right =
    "links that lead outside need CAP_NET_ADMIN over the network namespace they come from: run "
    "umbel as root, or leave them out";

Result<std::uint32_t> outer_index(FdRef outside, const std::string& name) {
  Result<std::uint32_t> index = sys::link_index(outside, name);
  if (!index && index.error().code == ENODEV)
    return fail_with(ENODEV, "there is no link " + name + " here", "ip link lists them");
  return index;
}

Result<void> add(const Link& link, FdRef outside, FdRef inside, FdRef own_ns) {
  switch (link.type) {
    case LinkType::bridge:
      return sys::add_link(inside, {.name = link.name, .type = "bridge"});
    case LinkType::veth: {
      TRY(sys::add_link(outside,
                        {.name = link.name, .type = "veth", .into = own_ns, .peer = link.outside}));
      return sys::set_link_up(outside, TRY(sys::link_index(outside, link.outside)));
    }
    case LinkType::macvlan: {
      const std::uint32_t parent = TRY(outer_index(outside, link.outside));
      return sys::add_link(
          outside, {.name = link.name, .type = "macvlan", .into = own_ns, .parent = parent});
    }
    case LinkType::host:
      return sys::move_link(outside, TRY(outer_index(outside, link.outside)), own_ns, link.name);
  }
  return {};
}

Result<void> make_wires(const Settings& settings, FdRef outside, FdRef inside, FdRef own_ns) {
  for (const Link& link : settings.links) {
    Result<void> added = add(link, outside, inside, own_ns);
    if (!added && added.error().code == EPERM) added = advise(outer_right, std::move(added));
    TRY(during("making the link " + link.name, std::move(added)));
    TRY(sys::set_link_up(inside, TRY(sys::link_index(inside, link.name))));
  }
  for (const Address& address : settings.addresses) {
    const std::string step = "giving " + address.link + " the address " + address.address;
    const std::uint32_t index = TRY(during(step, sys::link_index(inside, address.link)));
    TRY(during(step, sys::add_address(inside, index, TRY(sys::parse_prefix(address.address)))));
  }
  for (const Route& route : settings.routes) {
    const sys::IpPrefix gateway = TRY(sys::parse_prefix(route.gateway));
    sys::IpPrefix to{.version6 = gateway.version6};
    if (route.to != "default") to = TRY(sys::parse_prefix(route.to));
    TRY(during("the route to " + route.to + " by way of " + route.gateway,
               advise("give a link an address in the gateway's network first",
                      sys::add_route(inside, to, gateway))));
  }
  return {};
}

// At once: the kernel takes the namespace down later, and till then a veth's outer end would keep
// its name. A link that moved in goes back by itself.
void remove_wires(const Settings& settings, FdRef inside) {
  for (const Link& link : settings.links) {
    if (link.type == LinkType::host) continue;
    if (const auto index = sys::link_index(inside, link.name))
      (void)sys::remove_link(inside, *index);
  }
}

Result<void> check_link_name(std::string_view name, std::string_view text) {
  if (!name.empty() && name.size() < IFNAMSIZ && name.find_first_of("/ \t:") == name.npos)
    return {};
  return fail("'" + std::string(text) + "': '" + std::string(name) + "' cannot be a link's name",
              "use at most 15 characters, without blanks, / and :");
}

}  // namespace

Result<void> apply(const Settings& settings) {
  if (settings.loopback_up) TRY(during("bringing lo up", sys::set_link_up("lo")));
  return write_sysctls(settings, "net");
}

Result<void> capture(Settings& settings) { return read_sysctls(settings, "net"); }

Result<void> wire(const Settings& settings, FdRef outside) {
  if (settings.links.empty() && settings.addresses.empty() && settings.routes.empty()) return {};
  const Fd inside = TRY(sys::open_netlink());
  const Fd own = TRY(sys::open(cwd, "/proc/self/ns/net", O_RDONLY));
  Result<void> wired = make_wires(settings, outside, inside, own);
  if (!wired) remove_wires(settings, inside);
  return wired;
}

Result<Link> parse_link(std::string_view text) {
  static constexpr std::string_view cure =
      "write NAME=veth:OUTSIDE, NAME=macvlan:PARENT, NAME=host:LINK or NAME=bridge";
  const auto halves = cut(text, '=');
  if (!halves)
    return fail("'" + std::string(text) + "' does not say what kind of link", std::string(cure));
  const auto source = cut(halves->after, ':');
  const std::string_view type = source ? source->before : halves->after;
  for (const auto& [value, name] : name_table(LinkType{})) {
    if (name != type) continue;
    if (source.has_value() == (value == LinkType::bridge)) break;
    TRY(check_link_name(halves->before, text));
    if (source) TRY(check_link_name(source->after, text));
    return Link{std::string(halves->before), value, std::string(source ? source->after : "")};
  }
  return fail("'" + std::string(text) + "' is no link that umbel can make", std::string(cure));
}

Result<Address> parse_address(std::string_view text) {
  const auto halves = cut(text, '=');
  if (!halves)
    return fail("'" + std::string(text) + "' does not say which link",
                "write LINK=ADDRESS/LENGTH, like eth0=10.0.0.2/24");
  Address made{std::string(halves->before), std::string(halves->after)};
  TRY(sys::parse_prefix(made.address));
  return made;
}

Result<Route> parse_route(std::string_view text) {
  const auto halves = cut(text, '=');
  if (!halves)
    return fail("'" + std::string(text) + "' does not say by which gateway",
                "write PREFIX=GATEWAY, like default=10.0.0.1");
  Route made{std::string(halves->before), std::string(halves->after)};
  if (made.to != "default") TRY(sys::parse_prefix(made.to));
  TRY(sys::parse_prefix(made.gateway));
  return made;
}

}  // namespace umbel::ns::net
