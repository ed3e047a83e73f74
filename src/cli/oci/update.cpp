// New limits for a container that exists, from a document like linux.resources or from flags.
#include <array>

#include "base/text.h"
#include "cli/oci/commands.h"
#include "oci/document.h"
#include "oci/resources.h"
#include "sys/file.h"

namespace umbel::cli::oci {

namespace {

using container::Container;

struct Values {
  std::string resources, cpus, mems, memory, reservation, swap, kernel, kernel_tcp, l3_cache,
      bandwidth;
  std::optional<std::uint64_t> io_weight, period, burst, shares, realtime_period;
  std::optional<std::int64_t> quota, realtime_runtime, idle, pids;
};

std::vector<Option> table(Values& v) {
  return {
      {"resources", 'r', "FILE", "limits as JSON; - is standard input", &v.resources},
      {"blkio-weight", 0, "N", "weight of block I/O, 10 to 1000", &v.io_weight},
      {"cpu-period", 0, "MICROSECONDS", "the period of the quota", &v.period},
      {"cpu-quota", 0, "MICROSECONDS", "processor time a period", &v.quota},
      {"cpu-burst", 0, "MICROSECONDS", "unused quota that may be saved up", &v.burst},
      {"cpu-share", 0, "N", "relative weight of processor time", &v.shares},
      {"cpu-rt-period", 0, "MICROSECONDS", "the period of real-time tasks", &v.realtime_period},
      {"cpu-rt-runtime", 0, "MICROSECONDS", "time of real-time tasks", &v.realtime_runtime},
      {"cpu-idle", 0, "0|1", "run only where nobody else wants to", &v.idle},
      {"cpuset-cpus", 0, "LIST", "processors that may be used", &v.cpus},
      {"cpuset-mems", 0, "LIST", "memory nodes that may be used", &v.mems},
      {"memory", 0, "BYTES", "limit of memory; -1: none", &v.memory},
      {"memory-reservation", 0, "BYTES", "what it is reclaimed to first", &v.reservation},
      {"memory-swap", 0, "BYTES", "limit of memory and swap; -1: none", &v.swap},
      {"kernel-memory", 0, "BYTES", "accepted: kernels since 5.16 have no such limit", &v.kernel},
      {"kernel-memory-tcp", 0, "BYTES", "limit of the kernel's TCP buffers", &v.kernel_tcp},
      {"pids-limit", 0, "N", "limit of tasks; -1: none", &v.pids},
      {"l3-cache-schema", 0, "TEXT", "not supported", &v.l3_cache},
      {"mem-bw-schema", 0, "TEXT", "not supported", &v.bandwidth},
  };
}

Result<std::optional<std::int64_t>> bytes(std::string_view option, const std::string& text) {
  std::optional<std::int64_t> value;
  if (text.empty()) return value;
  if (text == "-1") return std::optional<std::int64_t>(-1);
  return static_cast<std::int64_t>(TRY(during(option, parse_size(text))));
}

Result<umbel::oci::Resources> from_file(const std::string& path) {
  if (path != "-") {
    const Value document = TRY(during("--resources", umbel::oci::read_document(path)));
    return during(path, umbel::oci::read_resources(document));
  }
  const std::string text = TRY(sys::read_all(standard_in));
  return during("--resources", umbel::oci::read_resources(TRY(parse_json(text))));
}

Result<umbel::oci::Resources> from_flags(const Values& v) {
  umbel::oci::Resources made;
  made.memory.limit = TRY(bytes("--memory", v.memory));
  made.memory.reservation = TRY(bytes("--memory-reservation", v.reservation));
  made.memory.swap = TRY(bytes("--memory-swap", v.swap));
  made.memory.kernel_tcp = TRY(bytes("--kernel-memory-tcp", v.kernel_tcp));
  made.cpu = {.shares = v.shares,
              .period = v.period,
              .burst = v.burst,
              .realtime_period = v.realtime_period,
              .quota = v.quota,
              .realtime_runtime = v.realtime_runtime,
              .idle = v.idle,
              .cpus = v.cpus,
              .mems = v.mems};
  made.pids.limit = v.pids;
  if (v.io_weight && *v.io_weight > 0xffff) return fail("--blkio-weight: is out of range");
  if (v.io_weight) made.block_io.weight = static_cast<std::uint16_t>(*v.io_weight);
  return made;
}

Result<int> update(const Global& global, const Values& v, Words words) {
  if (!v.l3_cache.empty() || !v.bandwidth.empty())
    return fail("--l3-cache-schema, --mem-bw-schema: Intel's resource director is not supported",
                "leave them out");
  if (!v.kernel.empty()) global.log.warning("--kernel-memory has no effect: it is obsolete");
  Container container = TRY(find(global, TRY(only_id(words))));
  const umbel::oci::Resources resources =
      TRY(v.resources.empty() ? from_flags(v) : from_file(v.resources));
  TRY(container.lock());
  if (!container.is_running())
    return fail("container not running: " + container.name() + " is " +
                std::string(status_word(container.status())));
  TRY(container::update(container, umbel::oci::limits_of(resources)));
  return 0;
}

}  // namespace

const Command update_command{"update", "ID", "change the limits of a container",
                             with_options<Values, table, update>};

}  // namespace umbel::cli::oci
