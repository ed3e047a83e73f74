// A request is one message with nested attributes, padded to 4 bytes; the kernel answers each with
// an nlmsgerr whose error is 0 for success, and since Linux 4.12 with a text that explains it.
#include "sys/netlink.h"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <string_view>

#include "base/text.h"
#include "sys/call.h"

namespace umbel::sys {

namespace {

class Request {
 public:
  template <class Header>
  Request(std::uint16_t type, std::uint16_t flags, const Header& header) {
    const nlmsghdr message{.nlmsg_len = 0,
                           .nlmsg_type = type,
                           .nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags),
                           .nlmsg_seq = 1,
                           .nlmsg_pid = 0};
    append(&message, sizeof message);
    append(&header, sizeof header);
  }

  void put(std::uint16_t type, std::string_view value) {
    const std::size_t at = begin(type);
    append(value.data(), value.size());
    end(at);
  }
  void text(std::uint16_t type, const std::string& value) {
    put(type, std::string_view(value.c_str(), value.size() + 1));
  }
  void number(std::uint16_t type, std::uint32_t value) {
    put(type, std::string_view(reinterpret_cast<const char*>(&value), sizeof value));
  }
  // Attributes, or a header, up to end() are within it.
  std::size_t begin(std::uint16_t type) {
    const std::size_t at = bytes_.size();
    const rtattr attribute{.rta_len = 0, .rta_type = type};
    append(&attribute, sizeof attribute);
    return at;
  }
  void end(std::size_t at) {
    const auto length = static_cast<std::uint16_t>(bytes_.size() - at);
    std::memcpy(bytes_.data() + at, &length, sizeof length);
    bytes_.resize((bytes_.size() + 3) / 4 * 4, '\0');
  }
  template <class Header>
  void header(const Header& value) {
    append(&value, sizeof value);
  }

  std::string_view finished() {
    const auto length = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &length, sizeof length);
    return bytes_;
  }

 private:
  void append(const void* data, std::size_t size) {
    bytes_.append(static_cast<const char*>(data), size);
  }
  std::string bytes_;
};

using Answer = std::array<char, 8192>;

template <class T>
T at(const Answer& answer, std::size_t offset) {
  T value{};
  std::memcpy(&value, answer.data() + offset, sizeof value);
  return value;
}

// The kernel's own words, where it has some.
std::string explanation(const Answer& answer, std::size_t length, const nlmsghdr& header) {
  if ((header.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return {};
  std::size_t from = sizeof(nlmsghdr) + sizeof(nlmsgerr);
  // The request is quoted in full unless NLM_F_CAPPED says otherwise.
  if ((header.nlmsg_flags & NLM_F_CAPPED) == 0)
    from += at<nlmsgerr>(answer, sizeof(nlmsghdr)).msg.nlmsg_len - sizeof(nlmsghdr);
  while (from + sizeof(rtattr) <= length) {
    const auto attribute = at<rtattr>(answer, from);
    if (attribute.rta_len < sizeof(rtattr) || from + attribute.rta_len > length) break;
    if ((attribute.rta_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG)
      return {answer.data() + from + sizeof(rtattr)};
    from += (attribute.rta_len + 3U) / 4 * 4;
  }
  return {};
}

// The first message of the answer. `call` is for the error.
Result<nlmsghdr> ask(FdRef netlink, Request& request, const std::string& call, Answer& answer) {
  const std::string_view bytes = request.finished();
  TRY(checked(retried([&] { return ::send(netlink.number(), bytes.data(), bytes.size(), 0); }),
              "netlink", call));
  const ssize_t length =
      retried([&] { return ::recv(netlink.number(), answer.data(), answer.size(), 0); });
  TRY(checked(length, "netlink", call));
  if (static_cast<std::size_t>(length) < sizeof(nlmsghdr)) return fail("netlink: a short answer");
  const auto header = at<nlmsghdr>(answer, 0);
  if (header.nlmsg_type != NLMSG_ERROR) return header;
  const int code = -at<nlmsgerr>(answer, sizeof(nlmsghdr)).error;
  if (code == 0) return header;
  const std::string why = explanation(answer, static_cast<std::size_t>(length), header);
  return Failure(
      Error{.code = code, .call = "netlink " + call + (why.empty() ? "" : " (" + why + ")")});
}

Result<void> order(FdRef netlink, Request& request, const std::string& call) {
  Answer answer{};
  TRY(ask(netlink, request, call, answer));
  return {};
}

constexpr std::uint16_t creating = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;

ifinfomsg of_link(std::uint32_t index) {
  return ifinfomsg{.ifi_family = AF_UNSPEC, .ifi_index = static_cast<int>(index)};
}

std::uint8_t family(const IpPrefix& prefix) { return prefix.version6 ? AF_INET6 : AF_INET; }

}  // namespace

Result<Fd> open_netlink() {
  Fd netlink(TRY(checked_int(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "socket",
                             "netlink")));
  const int on = 1;
  // Only the explanations are missing where this fails.
  (void)::setsockopt(netlink.number(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  return netlink;
}

Result<void> add_link(FdRef netlink, const NewLink& link) {
  Request request(RTM_NEWLINK, creating, of_link(0));
  request.text(IFLA_IFNAME, link.name);
  if (link.into) request.number(IFLA_NET_NS_FD, static_cast<std::uint32_t>(link.into->number()));
  if (link.parent != 0) request.number(IFLA_LINK, link.parent);
  const std::size_t about = request.begin(IFLA_LINKINFO);
  request.text(IFLA_INFO_KIND, link.type);
  if (!link.peer.empty()) {
    const std::size_t data = request.begin(IFLA_INFO_DATA);
    const std::size_t peer = request.begin(VETH_INFO_PEER);
    request.header(of_link(0));
    request.text(IFLA_IFNAME, link.peer);
    request.end(peer);
    request.end(data);
  }
  request.end(about);
  return order(netlink, request, "new link " + link.name);
}

Result<std::uint32_t> link_index(FdRef netlink, const std::string& name) {
  Request request(RTM_GETLINK, 0, of_link(0));
  request.text(IFLA_IFNAME, name);
  Answer answer{};
  TRY(ask(netlink, request, "link " + name, answer));
  return static_cast<std::uint32_t>(at<ifinfomsg>(answer, sizeof(nlmsghdr)).ifi_index);
}

Result<void> move_link(FdRef netlink, std::uint32_t index, FdRef into, const std::string& name) {
  Request request(RTM_NEWLINK, NLM_F_ACK, of_link(index));
  request.text(IFLA_IFNAME, name);
  request.number(IFLA_NET_NS_FD, static_cast<std::uint32_t>(into.number()));
  return order(netlink, request, "move link " + name);
}

Result<void> set_link_up(FdRef netlink, std::uint32_t index) {
  ifinfomsg header = of_link(index);
  header.ifi_flags = header.ifi_change = IFF_UP;
  Request request(RTM_NEWLINK, NLM_F_ACK, header);
  return order(netlink, request, "link up");
}

Result<void> remove_link(FdRef netlink, std::uint32_t index) {
  Request request(RTM_DELLINK, NLM_F_ACK, of_link(index));
  return order(netlink, request, "remove link");
}

Result<IpPrefix> parse_prefix(const std::string& text) {
  const auto halves = cut(text, '/');
  const std::string host(halves ? halves->before : text);
  IpPrefix prefix{.version6 = host.contains(':')};
  std::array<char, 16> bytes{};
  const std::uint8_t size = prefix.version6 ? 16 : 4;
  const auto length = halves ? unsigned_number(halves->after) : std::uint64_t{size} * 8;
  if (::inet_pton(family(prefix), host.c_str(), bytes.data()) != 1 || !length ||
      *length > size * 8U)
    return fail("'" + text + "' is no IP address", "write it like 10.0.0.1/24 or fd00::1/64");
  prefix.bytes.assign(bytes.data(), size);
  prefix.length = static_cast<std::uint8_t>(*length);
  return prefix;
}

Result<void> add_address(FdRef netlink, std::uint32_t link, const IpPrefix& address) {
  Request request(
      RTM_NEWADDR, creating,
      ifaddrmsg{.ifa_family = family(address),
                .ifa_prefixlen = address.length,
                // Nobody else can have it in a namespace that was just made.
                .ifa_flags = address.version6 ? std::uint8_t{IFA_F_NODAD} : std::uint8_t{0},
                .ifa_scope = RT_SCOPE_UNIVERSE,
                .ifa_index = link});
  request.put(IFA_LOCAL, address.bytes);
  request.put(IFA_ADDRESS, address.bytes);
  return order(netlink, request, "new address");
}

Result<void> add_route(FdRef netlink, const IpPrefix& to, const IpPrefix& gateway) {
  Request request(RTM_NEWROUTE, creating,
                  rtmsg{.rtm_family = family(gateway),
                        .rtm_dst_len = to.length,
                        .rtm_table = RT_TABLE_MAIN,
                        .rtm_protocol = RTPROT_STATIC,
                        .rtm_scope = RT_SCOPE_UNIVERSE,
                        .rtm_type = RTN_UNICAST});
  if (to.length > 0) request.put(RTA_DST, to.bytes);
  request.put(RTA_GATEWAY, gateway.bytes);
  return order(netlink, request, "new route");
}

}  // namespace umbel::sys
