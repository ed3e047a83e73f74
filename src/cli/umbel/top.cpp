#include "base/text.h"
#include "cli/umbel/commands.h"
#include "cli/umbel/output.h"
#include "cli/umbel/processes.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> names;
  bool json = false;
};

Syntax syntax(Options& o) {
  return {.sections = {{"", {{"json", 0, "", "as JSON", &o.json}}}},
          .operands = {"CONTAINER", 1, 1, &o.names},
          .about =
              "PID is the number inside the container, HOST the one outside; USER is the "
              "host's number, too.",
          .examples = {{"umbel top web", "its processes now"}}};
}

// 4:05.06
std::string time_text(std::uint64_t nanoseconds) {
  const std::uint64_t hundredths = nanoseconds / 10'000'000;
  const auto two = [](std::uint64_t value) { return std::to_string(100 + value).substr(1); };
  return std::to_string(hundredths / 6000) + ":" + two(hundredths / 100 % 60) + "." +
         two(hundredths % 100);
}

Result<int> act(const Options& o) {
  const container::Home home = TRY(container::Home::open());
  const container::Container container = TRY(home.find(o.names.front()));
  const std::vector<ProcessRecord> records = TRY(processes_of(container));
  if (o.json) {
    TRY(print_json(records));
    return 0;
  }
  Table table({"PID", "HOST", "USER", "STATE", "MEMORY", "TIME", "COMMAND"});
  for (const ProcessRecord& record : records)
    table.add({record.pid ? std::to_string(*record.pid) : "-", std::to_string(record.host_pid),
               std::to_string(record.uid), record.state, size_text(record.memory),
               time_text(record.cpu_nanoseconds), shortened(record.command, 200)});
  TRY(print(table.text()));
  return 0;
}

}  // namespace

const Verb top_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
