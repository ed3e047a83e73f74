// /proc/sysvipc and /proc/self/net show the namespaces of whoever reads them, not those of the
// mounted /proc.
#include "carry/lost.h"

#include <linux/capability.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "carry/records.h"
#include "inspect/process.h"
#include "proc/mountinfo.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/procfs.h"

namespace umbel::carry {

namespace {

// An engine's hooks give it links and mounts when it starts, and again when it is restored.
bool is_furnished(const container::Config& config) {
  const container::Hooks& hooks = config.hooks;
  return !hooks.prestart.empty() || !hooks.create_runtime.empty() ||
         !hooks.create_container.empty();
}

Result<std::vector<std::string>> objects(const std::string& file) {
  const std::string text = TRY(sys::read_file(cwd, sys::proc_path("sysvipc/" + file)));
  std::vector<std::string> lines;
  for (const std::string_view line : split(text, '\n'))
    if (!trimmed(line).empty()) lines.emplace_back(line);
  if (!lines.empty()) lines.erase(lines.begin());  // the heading
  return lines;
}

Failure lost(const std::string& what, const std::string& cure) {
  return fail_with(EOPNOTSUPP, "the container has " + what + ", which can't be carried yet", cure);
}

Result<void> check_ipc() {
  if (!TRY(objects("msg")).empty())
    return lost("System V message queues", "remove them before the checkpoint: ipcs, ipcrm");
  if (!TRY(objects("sem")).empty())
    return lost("System V semaphores", "remove them before the checkpoint: ipcs, ipcrm");
  constexpr std::size_t attached = 6;
  for (const std::string& line : TRY(objects("shm"))) {
    const auto columns = words(line);
    if (columns.size() > attached && columns[attached] == "0")
      return lost("a System V segment that nobody has attached, " + std::string(columns[1]),
                  "attach or remove it before the checkpoint: ipcs, ipcrm");
  }
  const auto queues = sys::list(cwd, "/dev/mqueue");
  if (!queues || queues->empty()) return {};
  return lost("the POSIX message queue /dev/mqueue/" + queues->front(),
              "remove it before the checkpoint");
}

// Interfaces that the start makes again are those of the config.
Result<void> check_links(const container::Config& config) {
  static constexpr std::array<std::string_view, 10> always{
      "lo",      "tunl0",    "gre0", "gretap0", "erspan0",
      "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0"};
  const std::string text = TRY(sys::read_file(cwd, sys::proc_path("self/net/dev")));
  for (const std::string_view line : split(text, '\n')) {
    const auto halves = cut(line, ':');
    if (!halves || line.contains('|')) continue;
    const std::string name(trimmed(halves->before));
    if (std::ranges::find(always, name) != always.end()) continue;
    if (std::ranges::find(config.settings.links, name, &ns::Link::name) !=
        config.settings.links.end())
      continue;
    return lost("the network interface " + name,
                "remove it before the checkpoint: ip link del " + name);
  }
  return {};
}

Result<void> check_cgroups(HostPid init) {
  const inspect::Process first = TRY(inspect::Process::open(init));
  const std::string wanted = TRY(first.text("cgroup"));
  for (std::vector<HostPid> left = TRY(first.children()); !left.empty();) {
    const HostPid pid = left.back();
    left.pop_back();
    const inspect::Process process = TRY(inspect::Process::open(pid));
    if (TRY(process.text("cgroup")) != wanted)
      return lost("process " + std::to_string(pid.value()) + " in a cgroup of its own making",
                  "move it back before the checkpoint");
    const std::vector<HostPid> more = TRY(process.children());
    left.insert(left.end(), more.begin(), more.end());
  }
  return {};
}

// Before the container's program began, the last mount was one that its config names.
Result<void> check_mounts(const container::Config& config) {
  if ((config.process.capabilities.bounding & security::capability(CAP_SYS_ADMIN)) == 0) return {};
  std::vector<std::string> known{"/"};
  for (const rootfs::Mount& mount : config.files.mounts) known.push_back(mount.destination);
  for (const rootfs::Device& device : config.files.devices) known.push_back(device.path);
  known.insert(known.end(), config.files.masked.begin(), config.files.masked.end());
  known.insert(known.end(), config.files.read_only.begin(), config.files.read_only.end());
  std::uint64_t newest = 0;
  for (const std::string& path : known)
    if (const auto birth = sys::mount_birth(path)) newest = std::max(newest, *birth);
  const std::string text = TRY(sys::read_file(cwd, sys::proc_path("self/mountinfo")));
  for (const proc::Mount& mount : TRY(proc::parse_mounts(text))) {
    if (mount.type.starts_with("cgroup")) continue;  // a config's one mount may be several
    if (const auto birth = sys::mount_birth(mount.point); birth && *birth > newest)
      return lost("something mounted inside, at " + mount.point,
                  "unmount it before the checkpoint, or give it to the container with its options "
                  "(-v, --tmpfs) instead");
  }
  return {};
}

}  // namespace

Result<void> check_lost(const container::Config& config, HostPid init) {
  if (is_fresh(config, ns::Kind::mnt) && !is_furnished(config)) TRY(check_mounts(config));
  if (is_fresh(config, ns::Kind::ipc)) TRY(check_ipc());
  if (is_fresh(config, ns::Kind::net) && !is_furnished(config)) TRY(check_links(config));
  return check_cgroups(init);
}

}  // namespace umbel::carry
