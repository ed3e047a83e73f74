// A process of its own enters the container's namespace, so that the launcher never leaves its own;
// a socket goes on speaking to the namespace that it was opened in. A device keeps neither its
// number nor its addresses when it moves, and is down then; so it is looked up anew at its
// destination, as the one that was not there before.
#include "container/net_devices.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/text.h"
#include "container/talk.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/namespace.h"
#include "sys/process.h"

namespace umbel::container {

namespace {

using sys::NetDevice;
using sys::NetDevices;

struct Side {
  const NetDevices& devices;
  FdRef network;
};

Result<NetDevice> find(const NetDevices& where, const std::string& name) {
  for (NetDevice& device : TRY(where.all()))
    if (device.name == name) return std::move(device);
  return fail_with(ENODEV, "there is no such network device", "ip link lists them");
}

// The one that was not there before, made as it was where it came from; its name.
Result<std::string> settle(const Side& side, const std::vector<NetDevice>& before,
                           const NetDevice& was) {
  for (const NetDevice& found : TRY(side.devices.all())) {
    if (std::ranges::find(before, found.index, &NetDevice::index) != before.end()) continue;
    for (const sys::DeviceAddress& address : was.addresses)
      TRY(side.devices.add(found.index, address));
    if (was.up) TRY(side.devices.set_up(found.index));
    return found.name;
  }
  return fail_with(ENODEV, "it did not arrive");
}

Result<std::string> move(const Side& from, const Side& to, const NetDevice& device,
                         const std::string& name) {
  const std::vector<NetDevice> before = TRY(to.devices.all());
  TRY(advise("a name is taken only once in a namespace; a name with %d is given a number",
             from.devices.move(device, to.network, name)));
  return settle(to, before, device);
}

// A device whose name is refused has moved all the same, for the kernel names it afterwards.
Result<std::string> move_or_return(const Side& from, const Side& to, const NetDevice& device,
                                   const std::string& name) {
  const std::vector<NetDevice> before = TRY(to.devices.all());
  NetDevice shown = device;
  shown.up = true;  // as the specification has it
  Result<std::string> moved = move(from, to, shown, name);
  if (moved) return moved;
  for (NetDevice& arrived : TRY(to.devices.all())) {
    if (std::ranges::find(before, arrived.index, &NetDevice::index) != before.end()) continue;
    arrived.addresses = device.addresses;
    arrived.up = device.up;
    (void)move(to, from, arrived, device.name);
  }
  return moved;
}

// In a child, which says with which words it ended.
Result<std::string> apart(const std::function<Result<std::string>()>& body) {
  sys::Channel channel = TRY(sys::channel());
  sys::Process child = TRY(sys::start({}, [&] {
    channel.ours.close();
    const Result<std::string> done = body();
    (void)(done ? say(channel.theirs, Word::ready, *done)
                : say_error(channel.theirs, done.error()));
    return 0;
  }));
  channel.theirs.close();
  Result<Heard> heard = expect(channel.ours, Word::ready);
  (void)child.wait();
  if (!heard) return Failure(heard.error());
  return std::move(heard->text);
}

Result<Fd> network_of(const std::string& process) {
  return sys::open(cwd, "/proc/" + process + "/ns/net", O_RDONLY);
}

}  // namespace

Result<LentDevices> LentDevices::lend(const std::map<std::string, std::string>& devices,
                                      HostPid to) {
  LentDevices lent;
  if (devices.empty()) return lent;
  lent.own_ = TRY(network_of("self"));
  lent.theirs_ = TRY(network_of(std::to_string(to.value())));
  const NetDevices here = TRY(NetDevices::open());
  for (const auto& [outside, inside] : devices) {
    const std::string step = "moving the network device " + outside;
    NetDevice device = TRY(during(step, find(here, outside)));
    const auto moved = [&, wanted = inside]() -> Result<std::string> {
      TRY(sys::setns(lent.theirs_, CLONE_NEWNET));
      const NetDevices there = TRY(NetDevices::open());
      return move_or_return({here, lent.own_}, {there, lent.theirs_}, device, wanted);
    };
    std::string name = TRY(during(step, apart(moved)));
    lent.moved_.push_back({std::move(device), std::move(name)});
  }
  return lent;
}

void LentDevices::give_back() noexcept {
  for (const Moved& moved : std::exchange(moved_, {}))
    (void)apart([&]() -> Result<std::string> {
      const NetDevices home = TRY(NetDevices::open());
      TRY(sys::setns(theirs_, CLONE_NEWNET));
      const NetDevices here = TRY(NetDevices::open());
      NetDevice device = TRY(find(here, moved.inside));
      device.addresses = moved.device.addresses;
      device.up = moved.device.up;
      return move({here, theirs_}, {home, own_}, device, moved.device.name);
    });
}

}  // namespace umbel::container
