// The Linux part of config.json, name by name, as the OCI runtime specification 1.3 has it: one
// list of fields a record. Absent and null are the same. What is not listed here is either refused
// by name (refused.h) or unknown, and then passed over as the specification asks.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/record.h"
#include "cgroup/limits.h"
#include "container/hooks.h"
#include "ns/settings.h"
#include "rootfs/spec.h"
#include "security/credentials.h"
#include "security/sched.h"
#include "security/seccomp.h"

namespace umbel::oci {

struct User {
  std::uint32_t uid = 0, gid = 0;
  std::optional<std::uint32_t> umask;
  std::vector<std::uint32_t> additional_gids;
};
void fields(auto& archive, User& u) {
  archive("uid", u.uid);
  archive("gid", u.gid);
  archive("umask", u.umask);
  archive("additionalGids", u.additional_gids);
}

struct CapabilityNames {
  std::vector<std::string> bounding, effective, inheritable, permitted, ambient;
};
void fields(auto& archive, CapabilityNames& c) {
  archive("bounding", c.bounding);
  archive("effective", c.effective);
  archive("inheritable", c.inheritable);
  archive("permitted", c.permitted);
  archive("ambient", c.ambient);
}

struct Box {
  std::uint32_t height = 0, width = 0;
};
void fields(auto& archive, Box& b) {
  archive("height", b.height);
  archive("width", b.width);
}

struct Process {
  bool terminal = false;
  std::optional<Box> console_size;
  User user;
  std::vector<std::string> args, env;
  std::string cwd;
  std::optional<CapabilityNames> capabilities;
  std::vector<security::Rlimit> rlimits;
  bool no_new_privileges = false;
  std::string apparmor, selinux;
  std::optional<std::int64_t> oom_score;
  std::optional<security::Scheduler> scheduler;
  std::optional<security::IoPriority> io_priority;
  security::CpuAffinity affinity;
};
void fields(auto& archive, Process& p) {
  archive("terminal", p.terminal);
  archive("consoleSize", p.console_size);
  archive("user", p.user);
  archive("args", p.args);
  archive("env", p.env);
  archive("cwd", p.cwd);
  archive("capabilities", p.capabilities);
  archive("rlimits", p.rlimits);
  archive("noNewPrivileges", p.no_new_privileges);
  archive("apparmorProfile", p.apparmor);
  archive("selinuxLabel", p.selinux);
  archive("oomScoreAdj", p.oom_score);
  archive("scheduler", p.scheduler);
  archive("ioPriority", p.io_priority);
  archive("execCPUAffinity", p.affinity);
}

struct Root {
  std::string path;
  bool read_only = false;
};
void fields(auto& archive, Root& r) {
  archive("path", r.path);
  archive("readonly", r.read_only);
}

struct Namespace {
  std::string type, path;
};
void fields(auto& archive, Namespace& n) {
  archive("type", n.type);
  archive("path", n.path);
}

struct TimeOffset {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
};
void fields(auto& archive, TimeOffset& t) {
  archive("secs", t.seconds);
  archive("nanosecs", t.nanoseconds);
}

struct Memory {
  std::optional<std::int64_t> limit, reservation, swap, kernel, kernel_tcp;
  std::optional<std::uint64_t> swappiness;
  bool disable_oom_killer = false, use_hierarchy = false, check_before_update = false;
};
void fields(auto& archive, Memory& m) {
  archive("limit", m.limit);
  archive("reservation", m.reservation);
  archive("swap", m.swap);
  archive("kernel", m.kernel);
  archive("kernelTCP", m.kernel_tcp);
  archive("swappiness", m.swappiness);
  archive("disableOOMKiller", m.disable_oom_killer);
  archive("useHierarchy", m.use_hierarchy);
  archive("checkBeforeUpdate", m.check_before_update);
}

struct Cpu {
  std::optional<std::uint64_t> shares, period, burst, realtime_period;
  std::optional<std::int64_t> quota, realtime_runtime, idle;
  std::string cpus, mems;
};
void fields(auto& archive, Cpu& c) {
  archive("shares", c.shares);
  archive("quota", c.quota);
  archive("burst", c.burst);
  archive("period", c.period);
  archive("realtimeRuntime", c.realtime_runtime);
  archive("realtimePeriod", c.realtime_period);
  archive("cpus", c.cpus);
  archive("mems", c.mems);
  archive("idle", c.idle);
}

struct BlockIo {
  std::optional<std::uint16_t> weight, leaf_weight;
  std::vector<cgroup::IoWeight> weights;
  std::vector<cgroup::IoThrottle> read_bytes, write_bytes, read_operations, write_operations;
};
void fields(auto& archive, BlockIo& b) {
  archive("weight", b.weight);
  archive("leafWeight", b.leaf_weight);
  archive("weightDevice", b.weights);
  archive("throttleReadBpsDevice", b.read_bytes);
  archive("throttleWriteBpsDevice", b.write_bytes);
  archive("throttleReadIOPSDevice", b.read_operations);
  archive("throttleWriteIOPSDevice", b.write_operations);
}

struct Pids {
  std::optional<std::int64_t> limit;
};
void fields(auto& archive, Pids& p) { archive("limit", p.limit); }

struct HugePages {
  std::string size;
  std::uint64_t limit = 0;
};
void fields(auto& archive, HugePages& h) {
  archive("pageSize", h.size);
  archive("limit", h.limit);
}

struct Network {
  std::optional<std::uint32_t> class_id;
  std::vector<cgroup::InterfacePriority> priorities;
};
void fields(auto& archive, Network& n) {
  archive("classID", n.class_id);
  archive("priorities", n.priorities);
}

struct Rdma {
  std::optional<std::uint32_t> handles, objects;
};
void fields(auto& archive, Rdma& r) {
  archive("hcaHandles", r.handles);
  archive("hcaObjects", r.objects);
}

// Also a document of its own: what `update --resources` reads.
struct Resources {
  std::vector<cgroup::DeviceRule> devices;
  Memory memory;
  Cpu cpu;
  Pids pids;
  BlockIo block_io;
  std::vector<HugePages> huge_pages;
  Network network;
  std::map<std::string, Rdma> rdma;
  std::map<std::string, std::string> unified;
};
void fields(auto& archive, Resources& r) {
  archive("devices", r.devices);
  archive("memory", r.memory);
  archive("cpu", r.cpu);
  archive("pids", r.pids);
  archive("blockIO", r.block_io);
  archive("hugepageLimits", r.huge_pages);
  archive("network", r.network);
  archive("rdma", r.rdma);
  archive("unified", r.unified);
}

struct NetDevice {
  std::string name;  // inside; empty: the same
};
void fields(auto& archive, NetDevice& d) { archive("name", d.name); }

struct Linux {
  std::vector<Namespace> namespaces;
  std::vector<ns::IdRange> uid_mappings, gid_mappings;
  std::map<std::string, TimeOffset> time_offsets;
  std::vector<rootfs::Device> devices;
  std::string cgroups_path;
  std::optional<Resources> resources;
  std::string rootfs_propagation;
  std::optional<security::Seccomp> seccomp;
  std::map<std::string, std::string> sysctl;
  std::vector<std::string> masked_paths, readonly_paths;
  std::optional<security::Personality> personality;
  std::map<std::string, NetDevice> net_devices;
  std::optional<security::MemoryPolicy> memory_policy;
  std::string mount_label;
};
void fields(auto& archive, Linux& l) {
  archive("namespaces", l.namespaces);
  archive("uidMappings", l.uid_mappings);
  archive("gidMappings", l.gid_mappings);
  archive("timeOffsets", l.time_offsets);
  archive("devices", l.devices);
  archive("cgroupsPath", l.cgroups_path);
  archive("resources", l.resources);
  archive("rootfsPropagation", l.rootfs_propagation);
  archive("seccomp", l.seccomp);
  archive("sysctl", l.sysctl);
  archive("maskedPaths", l.masked_paths);
  archive("readonlyPaths", l.readonly_paths);
  archive("personality", l.personality);
  archive("netDevices", l.net_devices);
  archive("memoryPolicy", l.memory_policy);
  archive("mountLabel", l.mount_label);
}

struct Spec {
  std::string version, hostname, domainname;
  std::optional<Process> process;
  std::optional<Root> root;
  std::vector<rootfs::Mount> mounts;
  std::map<std::string, std::string> annotations;
  container::Hooks hooks;
  Linux linux_part;
};
void fields(auto& archive, Spec& s) {
  archive("ociVersion", s.version);
  archive("hostname", s.hostname);
  archive("domainname", s.domainname);
  archive("process", s.process);
  archive("root", s.root);
  archive("mounts", s.mounts);
  archive("annotations", s.annotations);
  archive("hooks", s.hooks);
  archive("linux", s.linux_part);
}

}  // namespace umbel::oci
