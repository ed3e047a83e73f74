// Docker writes "weight": 0 for "no weight was given", and other engines do the like with most
// numbers, so zero counts as absent wherever it makes no sense as a limit (it does for swappiness,
// burst and idle). The same with disableOOMKiller: false, which is the kernel's default.
#include "oci/resources.h"

#include "cgroup/devices.h"
#include "oci/document.h"

namespace umbel::oci {

namespace {

template <class Number>
std::optional<Number> nonzero(const std::optional<Number>& number) {
  return number && *number != 0 ? number : std::nullopt;
}
std::optional<bool> if_true(bool flag) { return flag ? std::optional(true) : std::nullopt; }

void add_memory(cgroup::Limits& limits, const Memory& memory) {
  limits.memory = nonzero(memory.limit);
  limits.memory_reservation = nonzero(memory.reservation);
  limits.memory_swap = nonzero(memory.swap);
  limits.kernel_memory = nonzero(memory.kernel);
  limits.kernel_memory_tcp = nonzero(memory.kernel_tcp);
  limits.swappiness = memory.swappiness;
  limits.disable_oom_killer = if_true(memory.disable_oom_killer);
  limits.use_hierarchy = if_true(memory.use_hierarchy);
  limits.check_before_update = if_true(memory.check_before_update);
}

void add_cpu(cgroup::Limits& limits, const Cpu& cpu) {
  limits.cpu_shares = nonzero(cpu.shares);
  limits.cpu_quota = nonzero(cpu.quota);
  limits.cpu_period = nonzero(cpu.period);
  limits.cpu_burst = cpu.burst;
  limits.cpu_realtime_runtime = nonzero(cpu.realtime_runtime);
  limits.cpu_realtime_period = nonzero(cpu.realtime_period);
  limits.cpu_idle = cpu.idle;
  limits.cpus = cpu.cpus;
  limits.mems = cpu.mems;
}

void add_block_io(cgroup::Limits& limits, const BlockIo& io) {
  limits.io_weight = nonzero(io.weight);
  limits.io_leaf_weight = nonzero(io.leaf_weight);
  limits.io_device_weights = io.weights;
  limits.read_bytes = io.read_bytes;
  limits.write_bytes = io.write_bytes;
  limits.read_operations = io.read_operations;
  limits.write_operations = io.write_operations;
}

}  // namespace

cgroup::Limits limits_of(const Resources& resources) {
  cgroup::Limits limits;
  add_memory(limits, resources.memory);
  add_cpu(limits, resources.cpu);
  add_block_io(limits, resources.block_io);
  limits.pids = nonzero(resources.pids.limit);
  for (const HugePages& pages : resources.huge_pages)
    limits.huge_pages.push_back({.size = pages.size, .limit = pages.limit});
  for (const auto& [device, allowed] : resources.rdma)
    limits.rdma.push_back(
        {.device = device, .handles = allowed.handles, .objects = allowed.objects});
  limits.network_class = nonzero(resources.network.class_id);
  limits.network_priorities = resources.network.priorities;
  limits.unified = resources.unified;
  return limits;
}

std::vector<cgroup::DeviceRule> device_rules_of(const Resources& resources) {
  std::vector<cgroup::DeviceRule> rules = resources.devices;
  for (cgroup::DeviceRule& rule : rules)
    for (auto* number : {&rule.major, &rule.minor})
      if (*number && **number < 0) number->reset();  // engines write -1 for "any"
  std::vector<cgroup::DeviceRule> always = cgroup::default_device_rules();
  // The list begins with "nothing but": that is for the document to say, if it says anything.
  const auto first = rules.empty() ? always.begin() : always.begin() + 1;
  rules.insert(rules.end(), first, always.end());
  return rules;
}

Result<Resources> read_resources(const Value& document) {
  return from_value<Resources>(without_nulls(document));
}

}  // namespace umbel::oci
