// Docker's defaults. The lists of masked and read-only paths are those that its security history
// led to; a path that this kernel lacks is passed over when the container is built.
#include "rootfs/spec.h"

#include "sys/file.h"

namespace umbel::rootfs {

std::vector<Mount> default_mounts(std::uint64_t shm_size) {
  const std::string shm = "size=" + std::to_string(shm_size);
  return {
      {"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}, {}, {}},
      {"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}, {}, {}},
      {"/dev/pts",
       "devpts",
       "devpts",
       {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"},
       {},
       {}},
      {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}, {}, {}},
      {"/sys/fs/cgroup", "cgroup", "cgroup", {"ro", "nosuid", "noexec", "nodev"}, {}, {}},
      {"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}, {}, {}},
      {"/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", shm}, {}, {}},
  };
}

std::vector<Device> default_devices() {
  return {
      {.path = "/dev/null", .major = 1, .minor = 3},
      {.path = "/dev/zero", .major = 1, .minor = 5},
      {.path = "/dev/full", .major = 1, .minor = 7},
      {.path = "/dev/random", .major = 1, .minor = 8},
      {.path = "/dev/urandom", .major = 1, .minor = 9},
      {.path = "/dev/tty", .major = 5, .minor = 0},
  };
}

std::vector<std::string> default_masked() {
  std::vector<std::string> paths{
      "/proc/acpi",       "/proc/asound",      "/proc/interrupts",
      "/proc/kcore",      "/proc/keys",        "/proc/latency_stats",
      "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
      "/proc/scsi",       "/sys/firmware",     "/sys/devices/virtual/powercap",
  };
  // Every processor has its own counters of thermal events or none has.
  const std::string processors = "/sys/devices/system/cpu";
  if (!sys::exists(cwd, processors + "/cpu0/thermal_throttle")) return paths;
  const Result<std::vector<std::string>> names = sys::list(cwd, processors);
  if (!names) return paths;
  for (const std::string& name : *names) {
    if (!name.starts_with("cpu") || name.find_first_not_of("0123456789", 3) != std::string::npos)
      continue;
    paths.emplace_back(processors).append("/").append(name).append("/thermal_throttle");
  }
  return paths;
}

std::vector<std::string> default_read_only() {
  return {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
}

}  // namespace umbel::rootfs
