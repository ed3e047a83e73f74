// The built-in policies, as files that a person could have written. docs/POLICIES.md tells what
// each is for.
#include <array>

#include "policy/library.h"

namespace umbel::policy {

namespace {

struct Text {
  std::string_view name, toml;
};
constexpr std::array texts = std::to_array<Text>({
    {"isolated",
     R"toml(
summary = "nothing in common with the host or with other containers"
use = """
For services that must not see or disturb each other. It may still be given files of the host (-v)
and descriptors by whoever starts it.
"""
rights = "usual"

[namespaces]
pid = "own"
ipc = "own"
net = "own"
uts = "own"
mnt = "own"
cgroupns = "own"

[outside]
memory = "none"
tracers = "none"
devices = "none"
)toml"},
    {"migratable",
     R"toml(
summary = "everything that it can reach is its own or moves with it: it can be checkpointed"
use = """
For what will be saved, moved to another host, restarted or cloned. Several containers that share
namespaces, pipes or memory can be migratable together: check them together.
"""
checkpoint = true

[namespaces]
pid = ["own", "group"]
ipc = ["own", "group"]
net = ["own", "group"]
uts = ["own", "group"]
mnt = ["own", "group"]
cgroupns = ["own", "group"]
time = ["own", "group"]

[outside]
descriptors = "none"
memory = "none"
locks = "none"
terminals = "none"
tracers = "none"
mounts = "none"
devices = "none"
processes = "none"
)toml"},
    {"pidspace",
     R"toml(
summary = "processes of its own, and limits that isolate its performance"
use = """
For jobs on a shared machine: each sees only its own processes, ends as a whole, and can't use more
than its part of the machine; files, network and users are the host's. A pid namespace alone
isolates no performance: that is what the limits are for.
"""

[namespaces]
pid = "own"
ipc = ["host", "any"]
net = ["host", "any"]
uts = ["host", "any"]
mnt = ["host", "any"]
cgroupns = ["host", "any"]
time = ["host", "any"]

[limits]
memory = "512m"
cpus = "1"
pids-limit = "512"
)toml"},
    {"vserver",
     R"toml(
summary = "own processes, files, message queues and host name; the network stack is the host's"
use = """
For virtual servers on one machine whose network is not virtual: no bridge, no address translation,
no cost for a packet. Two of them can't use the same port.
"""

[namespaces]
pid = "own"
ipc = "own"
uts = "own"
mnt = "own"
cgroupns = "own"
net = "host"
)toml"},
    {"pod",
     R"toml(
summary = "several containers that share network, message queues and host name"
use = """
For parts of one application that talk to each other by localhost and shared memory, with processes
and files of their own. The first one is made alone; each further one names any of the group once:
umbel run --policy pod --net with:FIRST. All of them are checked together.
"""

[namespaces]
net = "group"
ipc = "group"
uts = "group"
pid = "own"
mnt = "own"
cgroupns = "own"
)toml"},
    {"sandbox",
     R"toml(
summary = "own users, no network, and the host's private files hidden"
use = """
For programs that are not trusted with the host's files: the network has no way out, /root, /home
and /etc/shadow are not there, and what root may do inside is confined to its own user namespace.
What it shall work on is given to it with -v.
"""
rights = "usual"
links = "none"
hide = ["/root", "/home", "/etc/shadow"]

[namespaces]
userns = "own"
pid = "own"
ipc = "own"
net = "own"
uts = "own"
mnt = "own"
cgroupns = "own"

[outside]
memory = "none"
devices = "none"
)toml"},
    {"host-tools",
     R"toml(
summary = "processes that the host sees and debugs as its own"
use = """
For tools and jobs that belong to the host and are only kept together. Strong isolation of pids is
the default: they see each other alone, and all end with the first. Weak isolation is --pid host:
they see the host's processes too. Either way the host's debuggers reach them, since users, files,
network and names are the host's.
"""

[namespaces]
pid = ["own", "host"]
userns = "host"
mnt = ["host", "any"]
net = ["host", "any"]
ipc = ["host", "any"]
uts = ["host", "any"]
cgroupns = ["host", "any"]
time = ["host", "any"]
)toml"},
});

}  // namespace

const std::vector<Entry>& built_in() {
  static const std::vector<Entry> all = [] {
    std::vector<Entry> made;
    for (const Text& text : texts)
      made.push_back({std::string(text.name), std::string(text.toml), {}});
    return made;
  }();
  return all;
}

}  // namespace umbel::policy
