// A request is a header, a fixed part and attributes, each padded to four bytes. The answers to a
// dump end with NLMSG_DONE, all others are one NLMSG_ERROR, whose code 0 means success.
#include "sys/net_device.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "sys/call.h"

namespace umbel::sys {

namespace {

constexpr std::size_t receive_size = std::size_t{64} << 10;

template <class T>
std::string bytes_of(const T& record) {
  return std::string(reinterpret_cast<const char*>(&record), sizeof record);
}

template <class T>
T record_at(std::string_view bytes) {
  T record{};
  std::memcpy(&record, bytes.data(), std::min(bytes.size(), sizeof record));
  return record;
}

void pad(std::string& bytes) { bytes.resize(NLMSG_ALIGN(bytes.size())); }

void append(std::string& body, std::uint16_t type, std::string_view value) {
  const rtattr header{.rta_len = static_cast<std::uint16_t>(RTA_LENGTH(value.size())),
                      .rta_type = type};
  pad(body);
  body += bytes_of(header);
  body += value;
  pad(body);
}

// The attributes after a fixed part, by their number.
std::vector<std::string_view> attributes(std::string_view bytes, unsigned most) {
  std::vector<std::string_view> found(most + 1);
  while (bytes.size() >= sizeof(rtattr)) {
    const auto header = record_at<rtattr>(bytes);
    if (header.rta_len < sizeof(rtattr) || header.rta_len > bytes.size()) break;
    const unsigned type = header.rta_type & ~unsigned{NLA_F_NESTED};
    if (type <= most) found[type] = bytes.substr(sizeof(rtattr), header.rta_len - sizeof(rtattr));
    bytes.remove_prefix(std::min<std::size_t>(NLMSG_ALIGN(header.rta_len), bytes.size()));
  }
  return found;
}

std::string_view behind(std::string_view message, std::size_t fixed) {
  return message.substr(std::min<std::size_t>(NLMSG_ALIGN(fixed), message.size()));
}

NetDevice device_of(std::string_view message) {
  const auto fixed = record_at<ifinfomsg>(message);
  const auto found = attributes(behind(message, sizeof fixed), IFLA_IFNAME);
  const std::string_view name = found[IFLA_IFNAME];
  return {.index = fixed.ifi_index,
          .name = std::string(name.substr(0, name.find('\0'))),
          .up = (fixed.ifi_flags & IFF_UP) != 0};
}

void add_address(std::vector<NetDevice>& devices, std::string_view message) {
  const auto fixed = record_at<ifaddrmsg>(message);
  const auto found = attributes(behind(message, sizeof fixed), IFA_FLAGS);
  DeviceAddress made{.family = fixed.ifa_family,
                     .prefix = fixed.ifa_prefixlen,
                     .flags = found[IFA_FLAGS].size() == sizeof(std::uint32_t)
                                  ? record_at<std::uint32_t>(found[IFA_FLAGS])
                                  : fixed.ifa_flags,
                     .local = std::string(found[IFA_LOCAL]),
                     .address = std::string(found[IFA_ADDRESS]),
                     .broadcast = std::string(found[IFA_BROADCAST])};
  if (fixed.ifa_scope != RT_SCOPE_UNIVERSE || (made.flags & IFA_F_PERMANENT) == 0) return;
  const auto index = static_cast<int>(fixed.ifa_index);
  const auto owner = std::ranges::find(devices, index, &NetDevice::index);
  if (owner != devices.end()) owner->addresses.push_back(std::move(made));
}

// Takes the messages of one datagram; whether the answer is complete.
Result<bool> take(std::string_view datagram, std::vector<std::string>& answers) {
  while (datagram.size() >= sizeof(nlmsghdr)) {
    const auto header = record_at<nlmsghdr>(datagram);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size()) break;
    const std::string_view body = datagram.substr(sizeof header, header.nlmsg_len - sizeof header);
    if (header.nlmsg_type == NLMSG_DONE) return true;
    if (header.nlmsg_type == NLMSG_ERROR) {
      const int code = -record_at<nlmsgerr>(body).error;
      if (code == 0) return true;
      return Failure(Error{.code = code, .call = "rtnetlink"});
    }
    answers.emplace_back(body);
    datagram.remove_prefix(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), datagram.size()));
  }
  return false;
}

}  // namespace

bool is_device_name(std::string_view name) {
  return !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." &&
         std::ranges::none_of(name, [](char c) { return c == '/' || c == ':' || c <= ' '; });
}

Result<NetDevices> NetDevices::open() {
  return NetDevices(Fd(TRY(checked_int(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE),
                                       "socket", "NETLINK_ROUTE"))));
}

Result<std::vector<std::string>> NetDevices::ask(std::uint16_t type, std::uint16_t flags,
                                                 std::string_view body) const {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(NLMSG_LENGTH(body.size()));
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
  std::string request = bytes_of(header);
  request += body;
  TRY(checked(::send(socket_.number(), request.data(), request.size(), 0), "send", "rtnetlink"));
  std::vector<std::string> answers;
  std::string datagram;
  for (;;) {
    datagram.resize(receive_size);
    const ssize_t size =
        retried([&] { return ::recv(socket_.number(), datagram.data(), datagram.size(), 0); });
    TRY(checked(size, "recv", "rtnetlink"));
    datagram.resize(static_cast<std::size_t>(size));
    const bool complete = TRY(take(datagram, answers));
    if (complete) return answers;
  }
}

Result<std::vector<NetDevice>> NetDevices::all() const {
  std::vector<NetDevice> found;
  for (const std::string& message : TRY(ask(RTM_GETLINK, NLM_F_DUMP, bytes_of(ifinfomsg{}))))
    found.push_back(device_of(message));
  for (const std::string& message : TRY(ask(RTM_GETADDR, NLM_F_DUMP, bytes_of(ifaddrmsg{}))))
    add_address(found, message);
  return found;
}

Result<void> NetDevices::move(const NetDevice& device, FdRef to_namespace,
                              const std::string& name) const {
  ifinfomsg fixed{};
  fixed.ifi_index = device.index;
  std::string body = bytes_of(fixed);
  append(body, IFLA_NET_NS_FD, bytes_of(static_cast<std::uint32_t>(to_namespace.number())));
  append(body, IFLA_IFNAME, std::string_view(name.c_str(), name.size() + 1));
  TRY(ask(RTM_NEWLINK, 0, body));
  return {};
}

Result<void> NetDevices::add(int index, const DeviceAddress& address) const {
  ifaddrmsg fixed{};
  fixed.ifa_family = address.family;
  fixed.ifa_prefixlen = address.prefix;
  fixed.ifa_index = static_cast<std::uint32_t>(index);
  std::string body = bytes_of(fixed);
  if (!address.local.empty()) append(body, IFA_LOCAL, address.local);
  if (!address.address.empty()) append(body, IFA_ADDRESS, address.address);
  if (!address.broadcast.empty()) append(body, IFA_BROADCAST, address.broadcast);
  append(body, IFA_FLAGS, bytes_of(address.flags));
  TRY(ask(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, body));
  return {};
}

Result<void> NetDevices::set_up(int index) const {
  ifinfomsg fixed{};
  fixed.ifi_index = index;
  fixed.ifi_flags = fixed.ifi_change = IFF_UP;
  TRY(ask(RTM_NEWLINK, 0, bytes_of(fixed)));
  return {};
}

}  // namespace umbel::sys
