#include "cli/umbel/records.h"

#include "console/log.h"

namespace umbel::cli {

namespace {

std::optional<std::string> time_text(std::int64_t nanoseconds) {
  if (nanoseconds == 0) return std::nullopt;
  return console::log_time(nanoseconds);
}

}  // namespace

ListedRecord listed(const container::Container& container) {
  const container::State& state = container.state;
  const container::Status status = container.status();
  const bool running = status == container::Status::running || status == container::Status::paused;
  ListedRecord record{.name = container.name(),
                      .status = std::string(container::status_text(status)),
                      .command = container.config.process.args,
                      .created = time_text(state.created),
                      .started = time_text(state.started),
                      .finished = time_text(state.finished),
                      .labels = container.config.labels};
  if (running) record.pid = state.init.pid.value();
  if (!running && state.exit_code) record.exit_code = *state.exit_code;
  for (const ns::KindInfo& kind : ns::kinds)
    record.namespaces[std::string(kind.option)] =
        ns::source_text(container.config.namespaces[kind.kind]);
  return record;
}

}  // namespace umbel::cli
