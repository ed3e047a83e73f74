// The umbrella itself: what ties this container together, and with whom.
#include "base/text.h"
#include "cli/umbel/commands.h"
#include "cli/umbel/limits.h"
#include "cli/umbel/output.h"
#include "cli/umbel/records.h"
#include "container/process_id.h"

namespace umbel::cli {

namespace {

using container::Container;

struct Options {
  std::vector<std::string> names;
  bool json = false;
};

Syntax syntax(Options& o) {
  return {
      .sections = {{"", {{"json", 0, "", "everything, as JSON: an object a container", &o.json}}}},
      .operands = {"CONTAINER...", 1, any_number, &o.names},
      .about =
          "Of each kind of namespace: its id, where it comes from, and which other "
          "containers share it.",
      .examples = {{"umbel show web", "for reading"},
                   {"umbel show --json web | jq .pid", "the host's pid of its first process"}}};
}

Result<ShownRecord> shown(const container::Home& home, const Container& container) {
  ShownRecord record{.listed = listed(container),
                     .out_of_memory = container.state.out_of_memory,
                     .notes = container.state.notes,
                     .policy = container.config.promise.policy,
                     .breaches = container.state.breaches,
                     .cgroup = container.state.cgroup,
                     .limits = container.config.limits,
                     .config = container.config};
  record.capabilities = security::capability_names(container.config.process.capabilities.effective);
  if (container::is_alive(container.state.monitor))
    record.monitor = container.state.monitor.pid.value();
  for (const container::NamespaceView& view : TRY(container::namespaces(home, container))) {
    NamespaceRecord one{.kind = std::string(ns::info(view.kind).option),
                        .source = ns::source_text(view.source),
                        .host = view.host,
                        .shared_with = view.shared_with};
    if (view.inode != 0) one.id = view.inode;
    if (view.next) one.next = ns::source_text(*view.next);
    record.namespaces.push_back(std::move(one));
  }
  return record;
}

std::string_view filter_text(const container::Process& process) {
  if (process.default_filter) return "umbel's own";
  return process.seccomp ? "from a file" : "none";
}

std::string line(std::string_view name, std::string_view value) {
  if (value.empty()) return {};
  std::string text(name);
  text.resize(14, ' ');
  return text + std::string(value) + "\n";
}

std::string status_line(const Container& container, const ShownRecord& record) {
  std::string text = record.listed.status;
  const container::State& state = container.state;
  if (record.listed.pid)
    text += " for " + duration_text(container::now() - state.started) + ", pid " +
            std::to_string(*record.listed.pid);
  else if (record.listed.exit_code)
    text += " with " + std::to_string(*record.listed.exit_code) + ", " +
            duration_text(container::now() - state.finished) + " ago";
  if (record.out_of_memory) text += ", having run out of memory";
  if (record.listed.pid && state.logged && !record.monitor)
    text += "; its monitor was killed: no log, no attach";
  return text;
}

std::string umbrella(const std::vector<NamespaceRecord>& records) {
  Table table({"  KIND", "ID", "FROM", "SHARED WITH"});
  for (const NamespaceRecord& record : records) {
    std::vector<std::string> sharers = record.shared_with;
    if (record.host) sharers.insert(sharers.begin(), "the host");
    table.add({"  " + record.kind, record.id ? std::to_string(*record.id) : "-",
               record.source + (record.next ? ", for the next processes" : ""),
               join(sharers, ", ")});
  }
  return table.text();
}

std::string root_line(const rootfs::Root& root) {
  std::string text = root.path.empty() ? "the host's, under an overlay" : root.path;
  if (!root.overlay_dir.empty()) text += " kept in " + root.overlay_dir;
  if (root.read_only) text += ", read-only";
  return text;
}

std::string mounts(const Container& container) {
  const container::Config& config = container.config;
  if (config.namespaces[ns::Kind::mnt].from != ns::From::fresh) return {};
  std::string text = line("root", root_line(config.files.root));
  Table table({"  MOUNT", "FROM", "OPTIONS"});
  for (const rootfs::Mount& mount : config.files.mounts)
    table.add({"  " + mount.destination, mount.type == "bind" ? mount.source : mount.type,
               join(mount.options, ",")});
  return text + table.text();
}

std::string text_of(const Container& container, const ShownRecord& record) {
  std::string text = coloured(Colour::bold, record.listed.name) + "\n";
  text += line("status", status_line(container, record));
  text += line("command", shortened(quoted(record.listed.command), 1000));
  text += line("directory", container.config.process.cwd);
  text += line("user", container.config.process.user_name);
  text += "namespaces\n" + umbrella(record.namespaces);
  text +=
      line("capabilities", record.capabilities.empty() ? "none" : join(record.capabilities, " "));
  text += line("filter", filter_text(container.config.process));
  text += line("limits", limits_text(record.limits));
  text += line("policy", record.policy);
  for (const std::string& breach : record.breaches) text += line("broken", breach);
  if (!record.cgroup.empty()) text += line("cgroup", container.config.cgroup);
  text += mounts(container);
  for (const auto& [name, value] : record.listed.labels)
    text += line("label", value.empty() ? name : name + "=" + value);
  for (const std::string& remark : record.notes) text += line("note", remark);
  return text;
}

Result<int> act(const Options& o) {
  const container::Home home = TRY(container::Home::open());
  int code = 0;
  bool first = true;
  for (const std::string& name : o.names) {
    const auto done = [&]() -> Result<void> {
      const Container container = TRY(home.find(name));
      const ShownRecord record = TRY(shown(home, container));
      if (o.json) return print_json(record);
      if (!first) TRY(print("\n"));
      first = false;
      return print(text_of(container, record));
    }();
    if (done) continue;
    report("show", done.error());
    code = 125;
  }
  return code;
}

}  // namespace

const Verb show_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
