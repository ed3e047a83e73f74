#include "base/text.h"
#include "cli/umbel/commands.h"
#include "cli/umbel/output.h"
#include "console/log.h"
#include "container/lifecycle.h"
#include "container/process_id.h"
#include "sys/file.h"
#include "sys/process.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> names;
  bool follow = false, times = false;
  std::optional<std::string> tail, since, until;
};

Syntax syntax(Options& o) {
  return {.sections = {{"",
                        {{"follow", 'f', "", "go on until the container ends", &o.follow},
                         {"tail", 'n', "NUMBER", "only the last lines", &o.tail},
                         {"since", 0, "TIME", "only what is newer: 10m (ago), 2026-01-31T12:00:00Z",
                          &o.since},
                         {"until", 0, "TIME", "only what is older", &o.until},
                         {"timestamps", 't', "", "when each line was written", &o.times}}}},
          .operands = {"CONTAINER", 1, 1, &o.names},
          .about =
              "Of containers that were run with -d or -t, or started by umbel start: what they "
              "wrote to standard output and standard error, each to its own.",
          .examples = {{"umbel logs -f --tail 20 web", "the last 20 lines and what follows"}}};
}

// A duration counts back from now.
Result<std::optional<std::int64_t>> parse_time(const std::optional<std::string>& text) {
  if (!text) return std::optional<std::int64_t>();
  if (const Result<std::int64_t> time = console::parse_log_time(*text)) return std::optional(*time);
  const Result<std::int64_t> ago = parse_duration(*text);
  if (!ago) return fail("'" + *text + "' is no time", "write it like 10m or 2026-01-31T12:00:00Z");
  return std::optional(container::now() - *ago);
}

class Printer {
 public:
  explicit Printer(const Options& o) : times_(o.times) {}

  Result<void> operator()(const console::LogRecord& record) {
    const bool err = record.stream == console::Stream::err;
    bool& begun = begun_[err ? 1 : 0];
    std::string text = times_ && !begun ? std::string(record.time) + " " : "";
    text += record.text;
    if (record.whole) text += '\n';
    begun = !record.whole;
    return sys::write_all(err ? standard_error : standard_out, text);
  }

 private:
  bool times_;
  bool begun_[2] = {false, false};  // a line without its end, of each stream
};

Result<int> act(const Options& o) {
  console::LogQuery query;
  query.since = TRY(during("--since", parse_time(o.since)));
  query.until = TRY(during("--until", parse_time(o.until)));
  if (o.tail && *o.tail != "all") {
    const auto lines = unsigned_number(*o.tail);
    if (!lines) return fail("--tail: '" + *o.tail + "' is no number of lines");
    query.tail = lines;
  }
  const container::Home home = TRY(container::Home::open());
  const container::Container container = TRY(home.find(o.names.front()));
  if (!sys::exists(container.directory(), "log") && container.state.started != 0)
    return fail(container.name() +
                    " has no log: it ran in the foreground, and its output went to "
                    "whoever ran it",
                "run it with -d to have its output kept");
  // It has ended for whoever reads the log when nobody writes it any more.
  Fd monitor;
  if (o.follow && container::is_alive(container.state.monitor))
    if (Result<Fd> found = sys::pidfd_open(container.state.monitor.pid))
      monitor = std::move(*found);
  query.follow = static_cast<bool>(monitor);
  query.writer = monitor;
  Printer printer(o);
  TRY(console::read_log(container.path("log"), query,
                        [&](const console::LogRecord& record) { return printer(record); }));
  return 0;
}

}  // namespace

const Verb logs_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
