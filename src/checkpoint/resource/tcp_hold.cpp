// The rules are written in the language of nft(8), which must be there: it has no static library,
// so it is a program and not a part of umbel. The hooks come before connection tracking.
#include "checkpoint/resource/tcp_hold.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

#include "sys/program.h"

namespace umbel::checkpoint {

namespace {

struct End {
  std::string family, address;
  std::uint16_t port = 0;
};

End end_of(const sys::Address& address) {
  char text[INET6_ADDRSTRLEN] = {};
  sockaddr_in6 six{};
  std::memcpy(&six, address.data(), std::min(address.size(), sizeof six));
  if (six.sin6_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, address.data(), std::min(address.size(), sizeof four));
    ::inet_ntop(AF_INET, &four.sin_addr, text, sizeof text);
    return {"ip", text, ntohs(four.sin_port)};
  }
  // On the wire, such an address is one of IPv4.
  if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
    ::inet_ntop(AF_INET, &six.sin6_addr.s6_addr[12], text, sizeof text);
    return {"ip", text, ntohs(six.sin6_port)};
  }
  ::inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof text);
  return {"ip6", text, ntohs(six.sin6_port)};
}

std::string rule(const End& from, const End& to) {
  return from.family + " saddr " + from.address + " tcp sport " + std::to_string(from.port) + " " +
         to.family + " daddr " + to.address + " tcp dport " + std::to_string(to.port) + " drop\n";
}

Result<void> run(const std::string& script) {
  const std::vector<std::string> words{"nft", "-f", "-"};
  return advise("install nftables, or have connections closed (--tcp-close)",
                sys::run_program(words, script));
}

}  // namespace

Result<void> hold(FdRef ns, const std::string& table, std::span<const Ends> connections) {
  std::string in, out;
  for (const Ends& ends : connections) {
    const End local = end_of(ends.local), peer = end_of(ends.peer);
    in += rule(peer, local);
    out += rule(local, peer);
  }
  const std::string script =
      "table inet " + table + " {\n chain in {\n" +
      "type filter hook input priority -400; policy accept;\n" + in + "}\n chain out {\n" +
      "type filter hook output priority -400; policy accept;\n" + out + "}\n}\n";
  return during("holding off the peers of connections",
                sys::in_network_namespace(ns, [&] { return run(script); }));
}

Result<void> let_flow(const std::string& table) {
  // Declared first, so that it is no error where it is not there.
  return during("letting connections flow again",
                run("table inet " + table + " {}\ndelete table inet " + table + "\n"));
}

}  // namespace umbel::checkpoint
