// Network devices, by rtnetlink(7): found, moved into another network namespace, given addresses.
// Without a library, for the four requests that it takes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

// Of the kind that outlives a move: permanent, and valid beyond the link.
struct DeviceAddress {
  std::uint8_t family = 0, prefix = 0;
  std::uint32_t flags = 0;                // IFA_F_*
  std::string local, address, broadcast;  // as bytes; empty: none
};

struct NetDevice {
  int index = 0;
  std::string name;
  bool up = false;
  std::vector<DeviceAddress> addresses;
};

// Asks the kernel about the network namespace that the calling thread was in when it was opened.
class NetDevices {
 public:
  static Result<NetDevices> open();
  Result<std::vector<NetDevice>> all() const;
  // With a name that has %d the kernel picks a number.
  Result<void> move(const NetDevice& device, FdRef to_namespace, const std::string& name) const;
  Result<void> add(int index, const DeviceAddress& address) const;
  Result<void> set_up(int index) const;

 private:
  explicit NetDevices(Fd socket) : socket_(std::move(socket)) {}
  Result<std::vector<std::string>> ask(std::uint16_t type, std::uint16_t flags,
                                       std::string_view body) const;
  Fd socket_;
};

// What the kernel takes for a device's name; %d aside.
bool is_device_name(std::string_view name);

}  // namespace umbel::sys
