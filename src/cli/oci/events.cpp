// What a container uses, once or again and again, and when it ran out of memory.
#include <chrono>

#include "base/record.h"
#include "base/text.h"
#include "cli/oci/commands.h"
#include "sys/process.h"

namespace umbel::cli::oci {

namespace {

using container::Container;

struct Values {
  bool stats = false;
  std::string interval = "5s";
};
std::vector<Option> table(Values& v) {
  return {{"stats", 0, "", "show what it uses now, and end", &v.stats},
          {"interval", 0, "TIME", "time between two reports (5s)", &v.interval}};
}

Value memory(std::uint64_t usage, std::uint64_t max, std::uint64_t limit, std::uint64_t failures) {
  Value made;
  made["limit"] = limit;
  made["usage"] = usage;
  made["max"] = max;
  made["failcnt"] = failures;
  return made;
}

Value total(std::uint64_t read, std::uint64_t written) {
  Value list;
  for (const auto& [op, value] : {std::pair("Read", read), std::pair("Write", written)}) {
    Value entry;
    entry["op"] = op;
    entry["value"] = value;
    list.append(std::move(entry));
  }
  return list;
}

// In the shape that runc gives it, as far as the kernel's numbers were read.
Value data(const cgroup::Usage& u) {
  Value made;
  Value& cpu = made["cpu"];
  Value& usage = cpu["usage"];
  usage["total"] = u.cpu_nanoseconds;
  usage["kernel"] = u.cpu_system;
  usage["user"] = u.cpu_user;
  Value& throttling = cpu["throttling"];
  throttling["periods"] = u.periods;
  throttling["throttledPeriods"] = u.throttled_periods;
  throttling["throttledTime"] = u.throttled_nanoseconds;
  Value& all = made["memory"];
  all["cache"] = u.memory_cache;
  all["usage"] = memory(u.memory, u.memory_peak, u.memory_limit, u.memory_failures);
  all["swap"] = memory(u.memory + u.swap, 0, u.swap_limit, 0);
  made["pids"]["current"] = u.pids;
  made["pids"]["limit"] = u.pids_limit;
  made["blkio"]["ioServiceBytesRecursive"] = total(u.read_bytes, u.written_bytes);
  made["blkio"]["ioServicedRecursive"] = total(u.read_operations, u.write_operations);
  return made;
}

Result<void> report(const Container& container, std::string_view type, const Value* data) {
  Value event;
  event["type"] = type;
  event["id"] = container.name();
  if (data != nullptr) event["data"] = *data;
  return print(json_text(event));
}

Result<void> watch(const Container& container, std::chrono::nanoseconds interval) {
  const Fd init = TRY(container.init());
  std::uint64_t killed = TRY(container.group().usage()).oom_kills;
  for (;;) {
    const bool ended =
        TRY(sys::wait_end(init, std::chrono::duration_cast<std::chrono::milliseconds>(interval)));
    const Result<cgroup::Usage> usage = container.group().usage();
    if (usage && usage->oom_kills > killed) {
      killed = usage->oom_kills;
      TRY(report(container, "oom", nullptr));
    }
    if (ended || !usage) return {};
    const Value now = data(*usage);
    TRY(report(container, "stats", &now));
  }
}

Result<int> events(const Global& global, const Values& v, Words words) {
  const Container container = TRY(find(global, TRY(only_id(words))));
  const std::int64_t interval = TRY(during("--interval", parse_duration(v.interval)));
  if (interval <= 0) return fail("--interval: must be more than nothing");
  if (!container.is_running())
    return fail("container not running: " + container.name() + " is " +
                std::string(status_word(container.status())));
  if (container.state.cgroup.empty()) return fail(container.name() + " has no cgroup to look at");
  if (!v.stats) {
    TRY(watch(container, std::chrono::nanoseconds(interval)));
    return 0;
  }
  const Value now = data(TRY(container.group().usage()));
  TRY(report(container, "stats", &now));
  return 0;
}

}  // namespace

const Command events_command{"events", "ID", "show what a container uses, as JSON",
                             with_options<Values, table, events>};

}  // namespace umbel::cli::oci
