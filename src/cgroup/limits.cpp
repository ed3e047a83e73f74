// The table of limits. A row is one limit: where v1 keeps it, where cgroup2 does, and the text that
// each wants. A row is worked on in the v1 hierarchy of its controller if there is one, otherwise
// in cgroup2; what neither has is refused, unless what is asked for is that there be no limit.
//
// Order matters in two places on v1: the limit of memory may never exceed that of memory and swap
// together, and a quota is checked against the period. Which of a pair must be written first
// depends on what is set already: EINVAL for the first means the other order.
#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/text.h"
#include "cgroup/cgroup.h"
#include "cgroup/conversion.h"
#include "cgroup/subtree.h"

namespace umbel::cgroup {

namespace {

struct Line {
  std::string value;
  std::string key = {};    // stands for the '*' in the file's name
  bool unlimited = false;  // asks for nothing that a missing file would not give
};
using Lines = std::vector<Line>;
using MakeLines = Result<Lines> (*)(const Limits&, const Directory&);

struct Place {
  const char* controller = nullptr;
  const char* file = nullptr;
  MakeLines lines = nullptr;
};

enum class Missing { refused, fine };

struct Row {
  const char* name;
  std::array<Place, 2> v1 = {}, v2 = {};  // the second where kernels differ: each that is there
  const char* cure = nullptr;             // where it is missing
  const char* refusal_cure = nullptr;     // where the kernel says EINVAL
  bool before_next = false;  // a pair with the next row, of which EINVAL swaps the order
  Missing missing = Missing::refused;
};

// ---- what is written

// As v1 takes it: there too a negative number is no limit.
template <auto Field>
Result<Lines> plain(const Limits& limits, const Directory&) {
  const auto& value = limits.*Field;
  if (!value) return Lines();
  return Lines{{.value = std::to_string(*value), .unlimited = std::cmp_less(*value, 0)}};
}

// As cgroup2 takes it.
template <auto Field>
Result<Lines> maximum(const Limits& limits, const Directory&) {
  const auto& value = limits.*Field;
  if (!value) return Lines();
  return Lines{{.value = or_max(*value), .unlimited = *value < 0}};
}

// A switch that is off where there is none.
template <auto Field>
Result<Lines> on(const Limits& limits, const Directory&) {
  const auto& value = limits.*Field;
  if (!value) return Lines();
  return Lines{{.value = *value ? "1" : "0", .unlimited = !*value}};
}

// One that is always on in cgroup2.
Result<Lines> off_only(const Limits& limits, const Directory&) {
  if (limits.use_hierarchy.value_or(true)) return Lines();
  return Lines{{.value = "0"}};
}

template <auto Field>
Result<Lines> list(const Limits& limits, const Directory&) {
  if ((limits.*Field).empty()) return Lines();
  return Lines{{.value = limits.*Field}};
}

Result<Lines> memory_max(const Limits& limits, const Directory& directory) {
  if (!limits.memory) return Lines();
  if (limits.check_before_update.value_or(false) && *limits.memory >= 0) {
    const std::string text = TRY(directory.read("memory.current"));
    const auto used = unsigned_number(trimmed(text));
    if (used && *used > static_cast<std::uint64_t>(*limits.memory))
      return fail_with(EBUSY, "the limit " + size_text(static_cast<std::uint64_t>(*limits.memory)) +
                                  " is below the " + size_text(*used) + " in use");
  }
  return maximum<&Limits::memory>(limits, directory);
}

Result<Lines> memory_and_swap(const Limits& limits, const Directory& directory) {
  if (limits.memory_swap) return plain<&Limits::memory_swap>(limits, directory);
  // No limit of memory alone can be above a limit of both.
  if (limits.memory && *limits.memory < 0) return Lines{{.value = "-1", .unlimited = true}};
  return Lines();
}

Result<Lines> swap_max(const Limits& limits, const Directory& directory) {
  if (!limits.memory_swap) return Lines();
  std::optional<std::int64_t> memory = limits.memory;
  if (!memory && *limits.memory_swap >= 0) {
    const std::string now = TRY(directory.read("memory.max"));
    memory = number(trimmed(now));
  }
  std::string alone = TRY(swap_alone(*limits.memory_swap, memory.value_or(-1)));
  return Lines{{.value = std::move(alone), .unlimited = *limits.memory_swap < 0}};
}

Result<Lines> cpu_max(const Limits& limits, const Directory& directory) {
  if (!limits.cpu_quota && !limits.cpu_period) return Lines();
  std::string quota = limits.cpu_quota ? or_max(*limits.cpu_quota) : std::string();
  // A period can't be written alone.
  std::string now;
  if (!limits.cpu_quota) {
    now = TRY(directory.read("cpu.max"));
    quota = now.substr(0, now.find(' '));
  }
  if (limits.cpu_period) quota += " " + std::to_string(*limits.cpu_period);
  return Lines{{.value = std::move(quota), .unlimited = limits.cpu_quota.value_or(0) < 0}};
}

Result<Lines> cpu_weight(const Limits& limits, const Directory&) {
  if (!limits.cpu_shares) return Lines();
  return Lines{{.value = std::to_string(weight_of_shares(*limits.cpu_shares))}};
}

Result<Lines> io_weight(const Limits& limits, const Directory&) {
  if (!limits.io_weight) return Lines();
  return Lines{{.value = "default " + std::to_string(io_weight_of(*limits.io_weight))}};
}

Result<Lines> io_device_weights(const Limits& limits, const Directory&) {
  Lines lines;
  for (const IoWeight& device : limits.io_device_weights)
    if (device.weight)
      lines.push_back({.value = device_line(device, std::to_string(io_weight_of(*device.weight)))});
  return lines;
}

template <auto Member>
Result<Lines> device_weights(const Limits& limits, const Directory&) {
  Lines lines;
  for (const IoWeight& device : limits.io_device_weights)
    if (const auto& weight = device.*Member)
      lines.push_back({.value = device_line(device, std::to_string(*weight))});
  return lines;
}

template <auto Field>
Result<Lines> throttle(const Limits& limits, const Directory&) {
  Lines lines;
  for (const IoThrottle& device : limits.*Field)
    lines.push_back(
        {.value = device_line(device, std::to_string(device.rate)), .unlimited = device.rate == 0});
  return lines;
}

Result<Lines> io_max(const Limits& limits, const Directory&) {
  struct Part {
    std::vector<IoThrottle> Limits::* field;
    const char* key;
  };
  static constexpr std::array<Part, 4> parts{{{&Limits::read_bytes, "rbps="},
                                              {&Limits::write_bytes, "wbps="},
                                              {&Limits::read_operations, "riops="},
                                              {&Limits::write_operations, "wiops="}}};
  Lines lines;
  for (const Part& part : parts)
    for (const IoThrottle& device : limits.*part.field) {
      const std::string rate = device.rate == 0 ? "max" : std::to_string(device.rate);
      lines.push_back(
          {.value = device_line(device, part.key + rate), .unlimited = device.rate == 0});
    }
  return lines;
}

Result<Lines> huge_pages(const Limits& limits, const Directory&) {
  Lines lines;
  for (const HugePages& pages : limits.huge_pages) {
    if (pages.size.empty() || pages.size.find('/') != std::string::npos)
      return fail_with(EINVAL, "'" + pages.size + "' is no size of huge pages",
                       "write it as the kernel does, such as 2MB or 1GB");
    lines.push_back({.value = std::to_string(pages.limit), .key = pages.size});
  }
  return lines;
}

Result<Lines> rdma(const Limits& limits, const Directory&) {
  Lines lines;
  for (const Rdma& device : limits.rdma) {
    std::string value = device.device;
    if (device.handles) value += " hca_handle=" + std::to_string(*device.handles);
    if (device.objects) value += " hca_object=" + std::to_string(*device.objects);
    lines.push_back({.value = std::move(value)});
  }
  return lines;
}

Result<Lines> priorities(const Limits& limits, const Directory&) {
  Lines lines;
  for (const InterfacePriority& wanted : limits.network_priorities)
    lines.push_back({.value = wanted.name + " " + std::to_string(wanted.priority)});
  return lines;
}

Result<Lines> unified_files(const Limits& limits, const Directory&) {
  Lines lines;
  for (const auto& [file, content] : limits.unified) {
    if (file.find('/') != std::string::npos || file.find('.') == std::string::npos ||
        file.starts_with("cgroup."))
      return fail_with(EINVAL, "'" + file + "' is no file of a cgroup v2 controller",
                       "name one such as memory.high or io.max");
    // The kernel takes one device a write.
    for (const std::string_view line : split(content, '\n'))
      if (!line.empty()) lines.push_back({.value = std::string(line), .key = file});
  }
  return lines;
}

// ---- the table

constexpr const char* swap_cure = "boot the kernel with swapaccount=1, or leave this limit out";
constexpr const char* realtime_cure =
    "give its parent cgroup a budget first: write one to the parent's cpu.rt_runtime_us";
constexpr const char* v1_cure = "leave it out: cgroup v2 has nothing like it";
constexpr const char* gone_cure = "leave it out: kernels of today have no such limit";
constexpr const char* io_cure =
    "leave it out, or use a kernel with the bfq scheduler or CONFIG_BLK_CGROUP_IOCOST";

constexpr std::array table = std::to_array<Row>({
    {.name = "memory.limit",
     .v1 = {{{"memory", "memory.limit_in_bytes", plain<&Limits::memory>}}},
     .v2 = {{{"memory", "memory.max", memory_max}}},
     .before_next = true},
    {.name = "memory.swap",
     .v1 = {{{"memory", "memory.memsw.limit_in_bytes", memory_and_swap}}},
     .v2 = {{{"memory", "memory.swap.max", swap_max}}},
     .cure = swap_cure},
    {.name = "memory.reservation",
     .v1 = {{{"memory", "memory.soft_limit_in_bytes", plain<&Limits::memory_reservation>}}},
     .v2 = {{{"memory", "memory.low", maximum<&Limits::memory_reservation>}}}},
    {.name = "memory.kernel",
     .v1 = {{{"memory", "memory.kmem.limit_in_bytes", plain<&Limits::kernel_memory>}}},
     .v2 = {{{"memory", nullptr, plain<&Limits::kernel_memory>}}},
     .cure = gone_cure},
    {.name = "memory.kernelTCP",
     .v1 = {{{"memory", "memory.kmem.tcp.limit_in_bytes", plain<&Limits::kernel_memory_tcp>}}},
     .v2 = {{{"memory", nullptr, plain<&Limits::kernel_memory_tcp>}}},
     .cure = gone_cure},
    {.name = "memory.swappiness",
     .v1 = {{{"memory", "memory.swappiness", plain<&Limits::swappiness>}}},
     .v2 = {{{"memory", nullptr, plain<&Limits::swappiness>}}},
     .cure = v1_cure},
    {.name = "memory.disableOOMKiller",
     .v1 = {{{"memory", "memory.oom_control", on<&Limits::disable_oom_killer>}}},
     .v2 = {{{"memory", nullptr, on<&Limits::disable_oom_killer>}}},
     .cure = v1_cure},
    {.name = "memory.useHierarchy",
     .v1 = {{{"memory", "memory.use_hierarchy", on<&Limits::use_hierarchy>}}},
     .v2 = {{{"memory", nullptr, off_only}}},
     .cure = v1_cure},
    {.name = "cpu.shares",
     .v1 = {{{"cpu", "cpu.shares", plain<&Limits::cpu_shares>}}},
     .v2 = {{{"cpu", "cpu.weight", cpu_weight}}}},
    {.name = "cpu.period",
     .v1 = {{{"cpu", "cpu.cfs_period_us", plain<&Limits::cpu_period>}}},
     .v2 = {{{"cpu", "cpu.max", cpu_max}}},
     .before_next = true},
    {.name = "cpu.quota",
     .v1 = {{{"cpu", "cpu.cfs_quota_us", plain<&Limits::cpu_quota>}}}},  // cgroup2: above
    {.name = "cpu.burst",
     .v1 = {{{"cpu", "cpu.cfs_burst_us", plain<&Limits::cpu_burst>}}},
     .v2 = {{{"cpu", "cpu.max.burst", plain<&Limits::cpu_burst>}}},
     .cure = "leave it out, or use Linux 5.14 or later"},
    {.name = "cpu.realtimePeriod",
     .v1 = {{{"cpu", "cpu.rt_period_us", plain<&Limits::cpu_realtime_period>}}},
     .v2 = {{{"cpu", nullptr, plain<&Limits::cpu_realtime_period>}}},
     .cure = v1_cure,
     .before_next = true},
    {.name = "cpu.realtimeRuntime",
     .v1 = {{{"cpu", "cpu.rt_runtime_us", plain<&Limits::cpu_realtime_runtime>}}},
     .v2 = {{{"cpu", nullptr, plain<&Limits::cpu_realtime_runtime>}}},
     .cure = v1_cure,
     .refusal_cure = realtime_cure},
    {.name = "cpu.idle",
     .v1 = {{{"cpu", "cpu.idle", plain<&Limits::cpu_idle>}}},
     .v2 = {{{"cpu", "cpu.idle", plain<&Limits::cpu_idle>}}},
     .cure = "leave it out, or use Linux 5.15 or later"},
    {.name = "cpu.cpus",
     .v1 = {{{"cpuset", "cpuset.cpus", list<&Limits::cpus>}}},
     .v2 = {{{"cpuset", "cpuset.cpus", list<&Limits::cpus>}}}},
    {.name = "cpu.mems",
     .v1 = {{{"cpuset", "cpuset.mems", list<&Limits::mems>}}},
     .v2 = {{{"cpuset", "cpuset.mems", list<&Limits::mems>}}}},
    {.name = "pids.limit",
     .v1 = {{{"pids", "pids.max", maximum<&Limits::pids>}}},
     .v2 = {{{"pids", "pids.max", maximum<&Limits::pids>}}}},
    {.name = "blockIO.weight",
     .v1 = {{{"blkio", "blkio.weight", plain<&Limits::io_weight>},
             {"blkio", "blkio.bfq.weight", plain<&Limits::io_weight>}}},
     .v2 = {{{"io", "io.weight", io_weight}, {"io", "io.bfq.weight", plain<&Limits::io_weight>}}},
     .cure = io_cure},
    {.name = "blockIO.weightDevice",
     .v1 = {{{"blkio", "blkio.weight_device", device_weights<&IoWeight::weight>},
             {"blkio", "blkio.bfq.weight_device", device_weights<&IoWeight::weight>}}},
     .v2 = {{{"io", "io.weight", io_device_weights},
             {"io", "io.bfq.weight", device_weights<&IoWeight::weight>}}},
     .cure = io_cure},
    {.name = "blockIO.leafWeight",
     .v1 = {{{"blkio", "blkio.leaf_weight", plain<&Limits::io_leaf_weight>}}},
     .v2 = {{{"io", nullptr, plain<&Limits::io_leaf_weight>}}},
     .cure = gone_cure},
    {.name = "blockIO.leafWeightDevice",
     .v1 = {{{"blkio", "blkio.leaf_weight_device", device_weights<&IoWeight::leaf_weight>}}},
     .v2 = {{{"io", nullptr, device_weights<&IoWeight::leaf_weight>}}},
     .cure = gone_cure},
    {.name = "blockIO.throttleReadBpsDevice",
     .v1 = {{{"blkio", "blkio.throttle.read_bps_device", throttle<&Limits::read_bytes>}}},
     .v2 = {{{"io", "io.max", io_max}}}},  // with the next three
    {.name = "blockIO.throttleWriteBpsDevice",
     .v1 = {{{"blkio", "blkio.throttle.write_bps_device", throttle<&Limits::write_bytes>}}}},
    {.name = "blockIO.throttleReadIOPSDevice",
     .v1 = {{{"blkio", "blkio.throttle.read_iops_device", throttle<&Limits::read_operations>}}}},
    {.name = "blockIO.throttleWriteIOPSDevice",
     .v1 = {{{"blkio", "blkio.throttle.write_iops_device", throttle<&Limits::write_operations>}}}},
    {.name = "hugepageLimits",
     .v1 = {{{"hugetlb", "hugetlb.*.limit_in_bytes", huge_pages}}},
     .v2 = {{{"hugetlb", "hugetlb.*.max", huge_pages}}},
     .cure = "ask for a size that /sys/kernel/mm/hugepages has, or leave it out"},
    {.name = "hugepageLimits (reserved)",
     .v1 = {{{"hugetlb", "hugetlb.*.rsvd.limit_in_bytes", huge_pages}}},
     .v2 = {{{"hugetlb", "hugetlb.*.rsvd.max", huge_pages}}},
     .missing = Missing::fine},  // before Linux 5.7
    {.name = "rdma", .v1 = {{{"rdma", "rdma.max", rdma}}}, .v2 = {{{"rdma", "rdma.max", rdma}}}},
    {.name = "network.classID",
     .v1 = {{{"net_cls", "net_cls.classid", plain<&Limits::network_class>}}},
     .v2 = {{{"net_cls", nullptr, plain<&Limits::network_class>}}},
     .cure = "leave it out: cgroup v2 marks packets by the packet filter (socket cgroupv2)"},
    {.name = "network.priorities",
     .v1 = {{{"net_prio", "net_prio.ifpriomap", priorities}}},
     .v2 = {{{"net_prio", nullptr, priorities}}},
     .cure = "leave it out: cgroup v2 marks packets by the packet filter (socket cgroupv2)"},
    {.name = "unified", .v2 = {{{"", "*", unified_files}}}},
});

// ---- applying it

std::string file_of(const Place& place, const Line& line) {
  std::string file = place.file;
  if (const std::size_t star = file.find('*'); star != file.npos) file.replace(star, 1, line.key);
  return file;
}

// The file of a unified row says its controller.
std::string controller_of(const Place& place, const Line& line) {
  if (*place.controller != '\0') return place.controller;
  return line.key.substr(0, line.key.find('.'));
}

Failure refused(const Row& row, const Place& place, const Line& line, const Directory* directory) {
  std::string why;
  if (place.file == nullptr)
    why = "cgroup v2 has nothing like it";
  else if (directory == nullptr && *place.controller == '\0')
    why = "this is no cgroup v2";
  else if (directory == nullptr)
    why = "no cgroup hierarchy here has the controller " + controller_of(place, line);
  else
    why = directory->path() + " has no file " + file_of(place, line);
  return fail_with(
      EOPNOTSUPP, "the limit " + std::string(row.name) + " can't be kept here: " + why,
      row.cure != nullptr ? row.cure : "leave it out, or make its controller available");
}

class Limiter {
 public:
  Limiter(const Limits& limits, std::span<const Directory> directories)
      : limits_(limits), directories_(directories) {}

  Result<void> apply(const Row& row) const {
    const char* controller = row.v1.front().controller;
    const Directory* v1 = find([controller](const Directory& directory) {
      return controller != nullptr && directory.controls(controller);
    });
    const Directory* directory = v1 != nullptr ? v1 : find(&Directory::unified);
    // Where there is neither, the places of v1 tell whether anything is asked for.
    const bool as_v1 = v1 != nullptr || (directory == nullptr && controller != nullptr);
    bool kept = false;
    std::optional<Failure> failure;
    for (const Place& place : as_v1 ? row.v1 : row.v2) {
      if (place.lines == nullptr) continue;
      const std::optional<Line> lacking = TRY(keep(row, place, directory));
      if (!lacking)
        kept = true;
      else if (!failure)
        failure = refused(row, place, *lacking, directory);
    }
    if (kept || !failure || row.missing == Missing::fine) return {};
    return *failure;
  }

 private:
  // The first line that there is no file for; nothing if all that is asked for is in force.
  Result<std::optional<Line>> keep(const Row& row, const Place& place,
                                   const Directory* directory) const {
    static const Directory nowhere("nowhere", "/nowhere");
    const bool can = directory != nullptr && place.file != nullptr;
    const Directory& here = directory != nullptr ? *directory : nowhere;
    const Lines lines =
        TRY(during(std::string("the limit ") + row.name, place.lines(limits_, here)));
    for (const Line& line : lines) {
      Result<void> written = can ? write(here, place, line) : fail_with(ENOENT, {});
      if (!written && written.error().code == ENOENT) {
        if (line.unlimited) continue;
        return std::optional<Line>(line);
      }
      if (!written && written.error().code == EBUSY)
        written = advise("it uses more than that already: choose a higher limit, or stop it first",
                         std::move(written));
      if (!written && written.error().code == EINVAL && row.refusal_cure != nullptr)
        written = advise(row.refusal_cure, std::move(written));
      TRY(during("setting the limit " + std::string(row.name) + " to " + line.value,
                 std::move(written)));
    }
    return std::optional<Line>();
  }

  // What cgroup2 has, but the directory's parent does not hand on, the parent is told to.
  static Result<void> write(const Directory& here, const Place& place, const Line& line) {
    const std::string file = file_of(place, line);
    Result<void> written = here.write(file, line.value);
    if (written || written.error().code != ENOENT || !here.unified()) return written;
    const FdRef parent = TRY(here.parent());
    if (!offer(parent, here.parent_path(), {controller_of(place, line)})) return written;
    return here.write(file, line.value);
  }

  template <class Wanted>
  const Directory* find(Wanted wanted) const {
    const auto found = std::ranges::find_if(directories_, wanted);
    return found == directories_.end() ? nullptr : &*found;
  }

  const Limits& limits_;
  std::span<const Directory> directories_;
};

}  // namespace

Result<void> Cgroup::limit(const Limits& limits) const {
  const Limiter limiter(limits, directories_);
  for (std::size_t i = 0; i < table.size(); ++i) {
    Result<void> kept = limiter.apply(table.at(i));
    if (!kept && kept.error().code == EINVAL && table.at(i).before_next) {
      TRY(limiter.apply(table.at(i + 1)));
      kept = limiter.apply(table.at(i));
    }
    TRY(std::move(kept));
  }
  return {};
}

}  // namespace umbel::cgroup
