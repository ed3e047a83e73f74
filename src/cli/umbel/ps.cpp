#include <algorithm>

#include "base/text.h"
#include "cli/umbel/commands.h"
#include "cli/umbel/output.h"
#include "cli/umbel/records.h"
#include "container/process_id.h"

namespace umbel::cli {

namespace {

using container::Container;
using container::Status;

struct Options {
  bool all = false, quiet = false, json = false, no_trunc = false;
  std::vector<std::string> filters;
};

Syntax syntax(Options& o) {
  return {
      .sections = {{"",
                    {{"all", 'a', "", "also those that do not run", &o.all},
                     {"quiet", 'q', "", "names only", &o.quiet},
                     {"filter", 'f', "KEY=VALUE",
                      "name=PART, status=running, label=NAME[=VALUE], net=host; several must "
                      "all hold",
                      &o.filters},
                     {"no-trunc", 0, "", "commands in full length", &o.no_trunc},
                     {"json", 0, "", "as JSON", &o.json}}}},
      .about = "NAMESPACES lists what is not a new one.",
      .examples = {{"umbel ps -a --filter status=exited", "what has ended"},
                   {"umbel rm $(umbel ps -aq --filter label=test)", "remove those with a label"}}};
}

bool has_label(const ListedRecord& record, std::string_view text) {
  const auto halves = cut(text, '=');
  const auto found = record.labels.find(std::string(halves ? halves->before : text));
  return found != record.labels.end() && (!halves || found->second == halves->after);
}

Result<bool> passes(const ListedRecord& record, std::string_view filter) {
  const auto halves = cut(filter, '=');
  if (!halves)
    return fail("--filter: '" + std::string(filter) + "' has no value",
                "write it like name=web or status=exited");
  if (halves->before == "name") return record.name.contains(halves->after);
  if (halves->before == "status") return record.status == halves->after;
  if (halves->before == "label") return has_label(record, halves->after);
  if (const auto kind = ns::kind_named(halves->before))
    return record.namespaces.at(std::string(ns::info(*kind).option)) == halves->after;
  return fail("--filter does not know '" + std::string(halves->before) + "'",
              "use name, status, label or a kind of namespace");
}

std::string status_column(const Container& container) {
  const Status status = container.status();
  const std::string text(container::status_text(status));
  const container::State& state = container.state;
  if (status == Status::running)
    return coloured(Colour::green, text + " " + duration_text(container::now() - state.started));
  if (status == Status::exited)
    return text + " (" + std::to_string(state.exit_code.value_or(0)) + ") " +
           duration_text(container::now() - state.finished) + " ago" +
           (state.out_of_memory ? ", out of memory" : "");
  if (status == Status::paused) return coloured(Colour::yellow, text);
  if (status == Status::created)
    return text + " " + duration_text(container::now() - state.created) + " ago";
  return coloured(Colour::red, text);
}

std::string namespaces_column(const ListedRecord& record) {
  std::string text;
  for (const auto& [kind, source] : record.namespaces) {
    // The host's users and clocks are what a container has by default.
    const bool usual =
        source == "new" || (source == "host" && (kind == "userns" || kind == "time"));
    if (!usual) text += (text.empty() ? "" : " ") + kind + "=" + source;
  }
  return text;
}

Result<int> act(const Options& o) {
  const container::Home home = TRY(container::Home::open());
  std::vector<ListedRecord> records;
  Table table({"NAME", "STATUS", "COMMAND", "NAMESPACES"});
  std::string names;
  for (const Container& container : TRY(home.all())) {
    ListedRecord record = listed(container);
    bool shown = o.all || container.is_running() || !o.filters.empty();
    for (const std::string& filter : o.filters) shown = TRY(passes(record, filter)) && shown;
    if (!shown) continue;
    const std::string command = quoted(record.command);
    table.add({record.name, status_column(container), shortened(command, o.no_trunc ? 100'000 : 40),
               namespaces_column(record)});
    names += record.name + "\n";
    records.push_back(std::move(record));
  }
  if (o.json)
    TRY(print_json(records));
  else
    TRY(print(o.quiet ? names : table.text()));
  return 0;
}

}  // namespace

const Verb ps_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
