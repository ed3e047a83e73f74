// Resource limits, one struct for both versions of cgroups. Absent means: leave the kernel's
// default. Source: cgroup-v1 and cgroup-v2 documents of the kernel; names as in the OCI runtime
// specification where they are the same thing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace umbel::cgroup {

struct IoThrottle {
  std::int64_t major = 0, minor = 0;
  std::uint64_t rate = 0;  // bytes or operations a second
};
void fields(auto& archive, IoThrottle& t) {
  archive("major", t.major);
  archive("minor", t.minor);
  archive("rate", t.rate);
}

struct IoWeight {
  std::int64_t major = 0, minor = 0;
  std::optional<std::uint16_t> weight, leaf_weight;
};
void fields(auto& archive, IoWeight& w) {
  archive("major", w.major);
  archive("minor", w.minor);
  archive("weight", w.weight);
  archive("leafWeight", w.leaf_weight);
}

struct HugePages {
  std::string size;  // as the kernel spells it: 2MB, 1GB
  std::uint64_t limit = 0;
};
void fields(auto& archive, HugePages& h) {
  archive("size", h.size);
  archive("limit", h.limit);
}

struct Rdma {
  std::string device;
  std::optional<std::uint32_t> handles, objects;
};
void fields(auto& archive, Rdma& r) {
  archive("device", r.device);
  archive("handles", r.handles);
  archive("objects", r.objects);
}

struct InterfacePriority {
  std::string name;  // of a network interface
  std::uint32_t priority = 0;
};
void fields(auto& archive, InterfacePriority& p) {
  archive("name", p.name);
  archive("priority", p.priority);
}

// Zero is a value like any other: a converter for a format in which it means "not given" leaves the
// field absent.
struct Limits {
  // Bytes; -1 is no limit. memory_swap is memory plus swap, as in OCI; on cgroup v2, which counts
  // swap alone, the difference is written. check_before_update refuses a limit below what is in use
  // now, where the kernel would kill.
  std::optional<std::int64_t> memory, memory_reservation, memory_swap, kernel_memory,
      kernel_memory_tcp;
  std::optional<std::uint64_t> swappiness;
  std::optional<bool> disable_oom_killer, use_hierarchy, check_before_update;
  // Microseconds of processor time a period; quota -1 is no limit.
  std::optional<std::int64_t> cpu_quota, cpu_realtime_runtime, cpu_idle;
  std::optional<std::uint64_t> cpu_period, cpu_burst, cpu_realtime_period;
  std::optional<std::uint64_t> cpu_shares;                 // 2 to 262144; becomes a weight on v2
  std::string cpus, mems;                                  // lists such as 0-3,7
  std::optional<std::int64_t> pids;                        // -1 is no limit
  std::optional<std::uint16_t> io_weight, io_leaf_weight;  // 10 to 1000, as in OCI
  std::vector<IoWeight> io_device_weights;
  std::vector<IoThrottle> read_bytes, write_bytes, read_operations, write_operations;
  std::vector<HugePages> huge_pages;
  std::vector<Rdma> rdma;
  std::optional<std::uint32_t> network_class;  // net_cls.classid; v1 only, as are priorities
  std::vector<InterfacePriority> network_priorities;
  std::map<std::string, std::string> unified;  // file -> value, cgroup v2 only
};
void fields(auto& archive, Limits& l) {
  archive("memory", l.memory);
  archive("memoryReservation", l.memory_reservation);
  archive("memorySwap", l.memory_swap);
  archive("kernelMemory", l.kernel_memory);
  archive("kernelMemoryTcp", l.kernel_memory_tcp);
  archive("swappiness", l.swappiness);
  archive("disableOomKiller", l.disable_oom_killer);
  archive("useHierarchy", l.use_hierarchy);
  archive("checkBeforeUpdate", l.check_before_update);
  archive("cpuQuota", l.cpu_quota);
  archive("cpuRealtimeRuntime", l.cpu_realtime_runtime);
  archive("cpuIdle", l.cpu_idle);
  archive("cpuPeriod", l.cpu_period);
  archive("cpuBurst", l.cpu_burst);
  archive("cpuRealtimePeriod", l.cpu_realtime_period);
  archive("cpuShares", l.cpu_shares);
  archive("cpus", l.cpus);
  archive("mems", l.mems);
  archive("pids", l.pids);
  archive("ioWeight", l.io_weight);
  archive("ioLeafWeight", l.io_leaf_weight);
  archive("ioDeviceWeights", l.io_device_weights);
  archive("readBytes", l.read_bytes);
  archive("writeBytes", l.write_bytes);
  archive("readOperations", l.read_operations);
  archive("writeOperations", l.write_operations);
  archive("hugePages", l.huge_pages);
  archive("rdma", l.rdma);
  archive("networkClass", l.network_class);
  archive("networkPriorities", l.network_priorities);
  archive("unified", l.unified);
}

// One rule of device access, in order: for each kind of access the last that matches decides. What
// none matches stays as the parent cgroup has it, and no rule gives more than the parent has.
struct DeviceRule {
  bool allow = false;
  std::string type = "a";                    // a (all), b or c
  std::optional<std::int64_t> major, minor;  // absent: any
  std::string access = "rwm";
};
void fields(auto& archive, DeviceRule& r) {
  archive("allow", r.allow);
  archive("type", r.type);
  archive("major", r.major);
  archive("minor", r.minor);
  archive("access", r.access);
}

// Nothing but what every container gets: making any node, and using null, zero, full, random,
// urandom, tty, console, ptmx and pts/*, and net/tun.
std::vector<DeviceRule> default_device_rules();

}  // namespace umbel::cgroup
