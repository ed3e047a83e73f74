#include "ns/kind.h"

#include "ns/net.h"
#include "ns/sysctl.h"
#include "ns/time.h"
#include "ns/user.h"
#include "ns/uts.h"

namespace umbel::ns {

namespace {

// Made by its flag alone: what is put into it afterwards belongs to other folders.
Result<void> nothing(const Settings&) { return {}; }
Result<void> nothing_to_capture(Settings&) { return {}; }

}  // namespace

const std::array<KindInfo, kind_count> kinds = {{
    {Kind::user, "userns", "user", "user", CLONE_NEWUSER, true, "user and group ids, capabilities",
     user::apply, user::capture},
    {Kind::mnt, "mnt", "mnt", "mount", CLONE_NEWNS, true, "mounted file systems", nothing,
     nothing_to_capture},
    {Kind::pid, "pid", "pid", "pid", CLONE_NEWPID, true, "process ids", nothing,
     nothing_to_capture},
    {Kind::net, "net", "net", "network", CLONE_NEWNET, true,
     "links, addresses, routes, ports, packet filter", net::apply, net::capture},
    {Kind::ipc, "ipc", "ipc", "ipc", CLONE_NEWIPC, true, "System V IPC and POSIX message queues",
     ipc::apply, ipc::capture},
    {Kind::uts, "uts", "uts", "uts", CLONE_NEWUTS, true, "host and domain name", uts::apply,
     uts::capture},
    {Kind::cgroup, "cgroupns", "cgroup", "cgroup", CLONE_NEWCGROUP, false,
     "the root of the cgroup tree", nothing, nothing_to_capture},
    {Kind::time, "time", "time", "time", CLONE_NEWTIME, false, "monotonic and boot clocks",
     time::apply, time::capture},
}};

std::optional<Kind> kind_named(std::string_view name) {
  for (const KindInfo& known : kinds)
    if (name == known.option || name == known.proc || name == known.oci) return known.kind;
  return std::nullopt;
}

}  // namespace umbel::ns
