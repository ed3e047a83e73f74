// Two readings, one interval apart: what a processor did in between is a share of the time between.
#include <fcntl.h>

#include <chrono>
#include <map>
#include <thread>

#include "base/text.h"
#include "cli/umbel/commands.h"
#include "cli/umbel/containers.h"
#include "cli/umbel/groups.h"
#include "cli/umbel/output.h"
#include "cli/umbel/records.h"
#include "console/terminal.h"
#include "container/process_id.h"
#include "sys/file.h"

namespace umbel::cli {

namespace {

using container::Container;

struct Options {
  std::vector<std::string> names;
  bool no_stream = false, json = false, groups = false;
};

Syntax syntax(Options& o) {
  return {
      .sections = {{"",
                    {{"groups", 0, "",
                      "of those that share a namespace or lie in one another, together", &o.groups},
                     {"no-stream", 0, "", "one reading, over half a second, and end", &o.no_stream},
                     {"json", 0, "", "as JSON: an array a reading", &o.json}}}},
      .operands = {"[CONTAINER]...", 0, any_number, &o.names},
      .about =
          "Of the containers named, or of all that run. CPU is a share of one processor. "
          "NETWORK is what went in and out of a container with a network of its own.\n\n"
          "What runs in a container's cgroup counts as its own, so also a container whose "
          "--cgroup-parent that is; the total, and with --groups that of each group, counts every "
          "process once, and the packets of a shared network once.",
      .examples = {{"umbel stats", "until Ctrl-C"},
                   {"umbel stats --no-stream --json | jq '.[].memoryBytes'", "for a script"}}};
}

struct Reading {
  Counted counted;
  std::int64_t time = 0;
};
using Readings = std::map<std::string, Reading>;

// The interfaces but lo, in lines such as "eth0: RECEIVED packets ... (9th) SENT packets ...".
void add_network(const Container& container, StatsRecord& record) {
  if (container.config.namespaces[ns::Kind::net].from == ns::From::host) return;
  const Result<std::string> text =
      sys::read_file(cwd, "/proc/" + std::to_string(container.state.init.pid.value()) + "/net/dev");
  if (!text) return;
  for (const std::string_view line : split(*text, '\n')) {
    const auto halves = cut(line, ':');
    if (!halves || trimmed(halves->before) == "lo") continue;
    const auto columns = words(halves->after);
    if (columns.size() < 9) continue;
    record.received_bytes += unsigned_number(columns[0]).value_or(0);
    record.sent_bytes += unsigned_number(columns[8]).value_or(0);
  }
}

std::uint64_t namespace_id(const std::string& process, const ns::KindInfo& kind) {
  const Result<struct stat> found =
      sys::status_behind(cwd, "/proc/" + process + "/ns/" + std::string(kind.proc));
  return found ? found->st_ino : 0;
}

void add_namespaces(const Container& container, Counted& counted) {
  const std::string pid = std::to_string(container.state.init.pid.value());
  for (const ns::KindInfo& kind : ns::kinds) {
    const std::uint64_t id = namespace_id(pid, kind);
    if (id == 0 || id == namespace_id("self", kind)) continue;
    counted.namespaces.push_back(id);
    if (kind.kind == ns::Kind::net) counted.network = id;
  }
}

Result<Reading> read(const Container& container) {
  Reading reading{.counted = {.record = {.name = container.name()}}, .time = container::now()};
  StatsRecord& record = reading.counted.record;
  add_network(container, record);
  add_namespaces(container, reading.counted);
  if (container.state.cgroup.empty()) return reading;  // nobody counts
  reading.counted.cgroup = container.config.cgroup;
  const cgroup::Usage usage = TRY(container.group().usage());
  record.cpu_nanoseconds = usage.cpu_nanoseconds;
  // What the kernel would give back at once is no use of memory, as docker stats has it.
  record.memory = usage.memory - std::min(usage.memory, usage.memory_inactive_file);
  record.memory_limit = usage.memory_limit;
  record.processes = usage.pids;
  record.process_limit = usage.pids_limit;
  record.read_bytes = usage.read_bytes;
  record.written_bytes = usage.written_bytes;
  return reading;
}

// Those that have ended meanwhile are left out.
Result<Readings> read_all(const container::Home& home, const std::vector<std::string>& names) {
  Readings readings;
  for (const Container& container : TRY(chosen(home, names)))
    if (Result<Reading> reading = read(container); reading && container.is_running())
      readings.emplace(container.name(), std::move(*reading));
  return readings;
}

std::vector<Counted> compared(const Readings& before, const Readings& now) {
  std::vector<Counted> all;
  for (const auto& [name, reading] : now) {
    Counted counted = reading.counted;
    StatsRecord& record = counted.record;
    const auto earlier = before.find(name);
    if (earlier != before.end() && reading.time > earlier->second.time)
      record.cpu_percent = 100.0 *
                           static_cast<double>(record.cpu_nanoseconds -
                                               earlier->second.counted.record.cpu_nanoseconds) /
                           static_cast<double>(reading.time - earlier->second.time);
    all.push_back(std::move(counted));
  }
  std::vector<std::string> within;
  for (const Counted& one : all) {
    const Counted* outer = container_of(one, all);
    within.push_back(outer == nullptr ? "" : outer->record.name);
  }
  for (std::size_t i = 0; i < all.size(); ++i) all[i].record.within = std::move(within[i]);
  return all;
}

std::string percent(double value) {
  const auto tenths = static_cast<std::int64_t>(value * 10 + 0.5);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + "%";
}

std::string of(const std::string& used, std::uint64_t limit, const std::string& limit_text) {
  return limit == 0 ? used : used + " of " + limit_text;
}

std::vector<std::string> row(const std::string& name, const StatsRecord& r) {
  return {name,
          percent(r.cpu_percent),
          of(size_text(r.memory), r.memory_limit, size_text(r.memory_limit)),
          of(std::to_string(r.processes), r.process_limit, std::to_string(r.process_limit)),
          size_text(r.read_bytes) + " / " + size_text(r.written_bytes),
          size_text(r.received_bytes) + " / " + size_text(r.sent_bytes)};
}

std::string table_of(const Options& o, const std::vector<Counted>& all) {
  Table table({o.groups ? "GROUP" : "NAME", "CPU", "MEMORY", "PROCESSES", "DISK READ / WRITTEN",
               "NETWORK IN / OUT"});
  if (o.groups)
    for (const GroupRecord& group : grouped(all))
      table.add(row(join(group.containers, " "), group.total));
  else
    for (const Counted& one : all)
      table.add(row(one.record.within.empty() ? one.record.name
                                              : one.record.name + " in " + one.record.within,
                    one.record));
  if (all.size() > 1) table.add(row("(total)", total(all)));
  return table.text();
}

Value json_of(const Options& o, const std::vector<Counted>& all) {
  if (o.groups) return to_value(grouped(all));
  std::vector<StatsRecord> records;
  for (const Counted& one : all) records.push_back(one.record);
  return to_value(records);
}

Result<void> show(const Options& o, const std::vector<Counted>& all) {
  if (o.json) return print_line(json_text(json_of(o, all), o.no_stream ? 2 : -1));
  // Back to the upper left corner, and nothing below.
  const bool live = !o.no_stream && console::is_terminal(standard_out);
  return print((live ? "\x1b[H\x1b[J" : "") + table_of(o, all));
}

Result<int> act(const Options& o) {
  using namespace std::chrono_literals;
  const container::Home home = TRY(container::Home::open());
  for (const std::string& name : o.names) {
    const Container container = TRY(home.find(name));
    TRY(container.init());
    if (container.state.cgroup.empty())
      note(name + " has no cgroup, so that nothing counts what it uses; umbel info says more");
  }
  Readings before = TRY(read_all(home, o.names));
  for (;;) {
    std::this_thread::sleep_for(o.no_stream ? 500ms : 1s);
    Readings now = TRY(read_all(home, o.names));
    TRY(show(o, compared(before, now)));
    if (o.no_stream || (!o.names.empty() && now.empty())) return 0;
    before = std::move(now);
  }
}

}  // namespace

const Verb stats_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
