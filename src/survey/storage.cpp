// Files, locks, memory and mounts. A descriptor's mnt_id (proc_pid_fdinfo(5)) tells a file that was
// opened through a mount which the process does not see: it was handed in from outside. Memory is
// the same where device and inode of the mapping are; code and caches, which nobody can write to,
// are no way from one process to another.
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "survey/work.h"
#include "sys/file.h"

namespace umbel::survey {

namespace {

using inspect::Kind;

bool is_kernels(std::string_view type) {
  static constexpr std::array<std::string_view, 15> types{
      "proc", "sysfs",  "cgroup",     "cgroup2",  "mqueue",  "devpts",    "debugfs", "tracefs",
      "bpf",  "pstore", "securityfs", "configfs", "fusectl", "hugetlbfs", "nsfs"};
  return std::ranges::find(types, type) != types.end();
}

// What a mount point shows, seen from inside.
std::optional<struct stat> shown(const Member& member, const std::string& point) {
  const auto process = member.open();
  const Result<Fd> root =
      process ? sys::open(process->dir(), "root", O_PATH | O_DIRECTORY) : fail("it has ended");
  const Result<Fd> at = root ? sys::open_in_root(*root, point, O_PATH) : fail("it has ended");
  const Result<struct stat> found = at ? sys::status(*at) : fail("it has ended");
  return found ? std::optional(*found) : std::nullopt;
}

bool is_harmless_device(const struct stat& status) {
  inspect::Descriptor as_open{.status = status};
  const Kind kind = inspect::kind_of(as_open);
  return kind == Kind::memory_device || kind == Kind::terminal;
}

// Whoever looks stands in the host's mounts.
const Mounts& host_mounts(Work& work) {
  const std::uint64_t id = work.host.own.at(ns::index(ns::Kind::mnt));
  const auto [found, added] = work.mounts.try_emplace(id);
  if (!added) return found->second;
  if (const auto text = sys::read_file(cwd, "/proc/self/mountinfo"))
    if (auto all = proc::parse_mounts(*text)) found->second.all = std::move(*all);
  for (const proc::Mount& mount : found->second.all) {
    found->second.ids.insert(mount.id);
    found->second.devices.insert({mount.major, mount.minor});
  }
  return found->second;
}

// A file system of the host that is in its place in the host's tree, read-only, which the container
// has for its root: a part of that, not a gift.
bool is_part_of_root(const Work& work, const Member& member, const proc::Mount& mount,
                     const Mounts& of_host) {
  const auto& config = work.host.containers[member.container].config;
  if (!config || !config->files.root.path.empty()) return false;
  const bool given = std::ranges::any_of(config->files.mounts, [&](const rootfs::Mount& one) {
    return one.destination == mount.point;
  });
  const bool writable = !mount.options.starts_with("ro");
  return !given && !writable && std::ranges::any_of(of_host.all, [&](const proc::Mount& other) {
    return other.point == mount.point && other.major == mount.major && other.minor == mount.minor;
  });
}

void check_mount(Work& work, const Member& member, const proc::Mount& mount,
                 const Mounts& of_host) {
  const bool is_host = of_host.devices.contains({mount.major, mount.minor});
  // The root goes along, or is there where it is restored: the container is made of it.
  if (!is_host || is_kernels(mount.type) || mount.point == "/") return;
  if (is_part_of_root(work, member, mount, of_host)) return;
  const std::optional<struct stat> found = shown(member, mount.point);
  const bool device = found && (S_ISCHR(found->st_mode) || S_ISBLK(found->st_mode));
  if (device && is_harmless_device(*found)) return;
  const std::string from = mount.root == "/" ? mount.source : mount.root;
  work.add({.container = member.container,
            .pid = member.resident.pid,
            .matter = device ? Matter::device : Matter::mount,
            .object = mount.point,
            .detail = from + " of the host (" + mount.type + ")",
            .outside = true});
}

bool in_container(const Work& work, const Member& member, ns::Kind kind) {
  return member.resident.namespaces.at(ns::index(kind)) ==
         work.host.containers[member.container].namespaces.at(ns::index(kind));
}

}  // namespace

void mounts(Work& work, const Member& member) {
  const std::uint64_t id = member.resident.namespaces.at(ns::index(ns::Kind::mnt));
  if (id == work.host.own.at(ns::index(ns::Kind::mnt)) ||
      !in_container(work, member, ns::Kind::mnt) ||
      !work.first_time(member.container, Matter::mount, "all"))
    return;
  const Mounts& of_host = host_mounts(work);
  const Mounts& all = mounts_of(work, member);
  for (const proc::Mount& mount : all.all)
    if (!proc::hidden(mount, all.all)) check_mount(work, member, mount, of_host);
}

void files(Work& work, const Member& member) {
  static constexpr std::array<Kind, 4> from_mounts{Kind::regular, Kind::directory, Kind::fifo,
                                                   Kind::path};
  static constexpr std::array<Kind, 2> hardware{Kind::device, Kind::kvm};
  for (const inspect::Descriptor& descriptor : member.descriptors) {
    Fact found{.container = member.container,
               .pid = member.resident.pid,
               .fd = descriptor.number,
               .matter = Matter::file,
               .object = descriptor.target,
               .outside = true};
    if (std::ranges::find(hardware, descriptor.kind) != hardware.end()) {
      found.matter = Matter::device;
      found.detail = "an open device";
      if (work.first_time(member.container, Matter::device, descriptor.target))
        work.add(std::move(found));
      continue;
    }
    if (std::ranges::find(from_mounts, descriptor.kind) == from_mounts.end()) continue;
    const auto id = descriptor.info.number("mnt_id");
    if (!id || mounts_of(work, member).ids.contains(static_cast<std::int64_t>(*id))) continue;
    // A file without a place in any directory tree: shared memory, a namespace.
    if (!descriptor.target.starts_with('/') || descriptor.target.starts_with("/memfd:")) continue;
    found.detail = "opened on a mount that is not the container's";
    if (work.first_time(member.container, Matter::file, descriptor.target))
      work.add(std::move(found));
  }
}

void locks(Work& work, const Member& member) {
  look_at_locks(work);
  if (work.locks.empty()) return;
  for (const inspect::Descriptor& descriptor : member.descriptors) {
    if (descriptor.kind != Kind::regular) continue;
    const FileKey key = key_of(descriptor.status);
    std::vector<HostPid> pids;
    bool unknown = false;
    for (const proc::Lock& lock : work.locks) {
      if (lock.major != key.major || lock.minor != key.minor || lock.inode != key.inode) continue;
      if (lock.pid > 0) pids.emplace_back(lock.pid);
      // Of an open file, whoever has it: ours shows with the descriptor.
      unknown |= lock.pid <= 0 && descriptor.info.all("lock").empty();
    }
    Fact found{.container = member.container,
               .pid = member.resident.pid,
               .fd = descriptor.number,
               .matter = Matter::lock,
               .object = descriptor.target,
               .detail = "a lock on it",
               .others = work.others(member.container, pids),
               .outside = unknown};
    if ((unknown || !found.others.empty()) &&
        work.first_time(member.container, Matter::lock, descriptor.target))
      work.add(std::move(found));
  }
}

void memory(Work& work, const Member& member) {
  for (const proc::Mapping& mapping : member.mappings) {
    if (!mapping.shared || mapping.inode == 0) continue;
    const std::string object = mapping.path.empty() ? "shared memory" : mapping.path;
    const std::string key = object + std::to_string(mapping.inode);
    if (!work.first_time(member.container, Matter::memory, key)) continue;
    look_at_memory(work);
    const auto all = work.shared_memory.find({mapping.major, mapping.minor, mapping.inode});
    if (all == work.shared_memory.end()) continue;
    std::vector<HostPid> pids;
    bool writable = mapping.write;
    for (const Mapped& other : all->second) {
      pids.push_back(other.pid);
      writable |= other.writable;
    }
    Fact found{.container = member.container,
               .pid = member.resident.pid,
               .matter = Matter::memory,
               .object = object,
               .detail = "the same memory",
               .others = work.others(member.container, pids)};
    if (writable && !found.others.empty()) work.add(std::move(found));
  }
}

}  // namespace umbel::survey
