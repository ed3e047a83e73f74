// Devices of the host's network that a container has for as long as it lives.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "sys/net_device.h"

namespace umbel::container {

class LentDevices {
 public:
  LentDevices() = default;
  LentDevices(LentDevices&&) = default;
  LentDevices& operator=(LentDevices&&) = default;
  LentDevices(const LentDevices&) = delete;
  LentDevices& operator=(const LentDevices&) = delete;
  ~LentDevices() { give_back(); }

  // Moves devices (the host's name to the one inside) into the network namespace of that process,
  // with their addresses, and brings them up. All or none.
  static Result<LentDevices> lend(const std::map<std::string, std::string>& devices, HostPid to);
  // From now on they are the container's. When its namespace ends the kernel returns those that are
  // hardware and removes those that are not.
  void keep() { moved_.clear(); }

 private:
  void give_back() noexcept;
  struct Moved {
    sys::NetDevice device;  // as it was
    std::string inside;
  };
  Fd own_, theirs_;  // network namespaces
  std::vector<Moved> moved_;
};

}  // namespace umbel::container
