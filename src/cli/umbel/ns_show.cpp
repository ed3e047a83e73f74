// What is asked of a namespace is asked inside it, by a process that enters it for that.
#include <fcntl.h>

#include <algorithm>

#include "base/text.h"
#include "cli/umbel/commands.h"
#include "cli/umbel/names.h"
#include "cli/umbel/output.h"
#include "container/store.h"
#include "ns/aside.h"
#include "ns/user.h"
#include "proc/cgroup.h"
#include "sys/file.h"
#include "sys/namespace.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> names;
  bool json = false;
};

Syntax syntax(Options& o) {
  return {.sections = {{"", {{"json", 0, "", "everything, as JSON: an object a name", &o.json}}}},
          .operands = {"NAME...", 1, any_number, &o.names},
          .about =
              "Its settings are those that it has now. Containers are named that use it or will "
              "with their next start; processes are all that are in it, whoever started them.",
          .examples = {{"umbel ns show lab", "for reading"},
                       {"umbel ns show --json net/lab | jq .users", "for a script"}}};
}

Result<ns::Settings> captured(const ns::Names& names, const ns::Name& name) {
  const ns::KindInfo& kind = ns::info(name.kind);
  if (name.life != ns::Life::alive || name.kind == ns::Kind::pid) return ns::Settings();
  const Fd ns = TRY(names.open(name));
  const ns::Brought text = TRY(ns::aside([&]() -> Result<ns::Brought> {
    if (name.kind != ns::Kind::user && !ns::may_mount()) {
      const Fd owner = TRY(sys::namespace_owner(ns));
      TRY(sys::setns(owner, CLONE_NEWUSER));
    }
    // Asked from the mount namespace that one is in: its own may show no /proc.
    ns::Settings settings;
    if (name.kind != ns::Kind::mnt) {
      TRY(sys::setns(ns, kind.flag));
      TRY(kind.capture(settings));
    }
    return ns::Brought{.text = json_text(to_value(settings))};
  }));
  return from_value<ns::Settings>(TRY(parse_json(text.text)));
}

// The one in whose cgroup the process is.
std::string container_of(HostPid pid, const std::vector<container::Container>& containers) {
  const Result<std::string> text =
      sys::read_file(cwd, "/proc/" + std::to_string(pid.value()) + "/cgroup");
  const auto memberships =
      text ? proc::parse_memberships(*text) : Result<std::vector<proc::Membership>>(fail(""));
  if (!memberships) return {};
  for (const container::Container& one : containers) {
    if (one.config.cgroup.empty() || !one.is_running()) continue;
    const std::string suffix = "/" + one.config.cgroup;
    for (const proc::Membership& at : *memberships)
      if (at.path.ends_with(suffix) || at.path.contains(suffix + "/")) return one.name();
  }
  return {};
}

std::string process_name(HostPid pid) {
  const Result<std::string> text =
      sys::read_file(cwd, "/proc/" + std::to_string(pid.value()) + "/comm");
  return text ? std::string(trimmed(*text)) : std::string();
}

bool uses(const container::Container& container, const ns::Name& name) {
  const ns::Source& source = container.config.namespaces[name.kind];
  return source.from == ns::From::named &&
         (source.what == name.name || source.what == ns::full_name(name));
}

Result<ShownNameRecord> shown(const ns::Names& names, const std::string& text) {
  const ns::Name name = TRY(names.find(text));
  const std::vector<ns::Name> all = TRY(names.all());
  const ns::Users users = TRY(ns::all_users());
  const container::Home home = TRY(container::Home::open());
  const std::vector<container::Container> containers = TRY(home.all());
  ShownNameRecord record;
  record.name = TRY(record_of(name, all, users));
  record.settings = TRY(captured(names, name));
  for (const HostPid pid : users_of(name, users))
    record.processes.push_back({pid.value(), process_name(pid), container_of(pid, containers)});
  for (const container::Container& one : containers)
    if (uses(one, name)) record.containers.push_back(one.name());
  if (name.kind == ns::Kind::user)
    for (const ns::Name& other : all)
      if (other.owner == name.inode) record.owns.push_back(ns::full_name(other));
  return record;
}

std::string line(std::string_view title, std::string_view value) {
  if (value.empty()) return {};
  std::string text(title);
  text.resize(14, ' ');
  return text + std::string(value) + "\n";
}

std::string map_text(const std::vector<ns::IdRange>& map) {
  std::vector<std::string> parts;
  for (const ns::IdRange& r : map)
    parts.push_back(std::to_string(r.inside) + ":" + std::to_string(r.outside) + ":" +
                    std::to_string(r.count));
  return join(parts, " ");
}

std::string offset_text(const std::optional<std::int64_t>& offset) {
  if (!offset) return {};
  return (*offset < 0 ? "behind by " : "ahead by ") +
         duration_text(*offset < 0 ? -*offset : *offset);
}

std::string_view life_text(ns::Life life) {
  if (life == ns::Life::lost) return "lost: no namespace is bound to its file";
  return life == ns::Life::ended ? "ended: its first process is gone" : "";
}

std::string text_of(const ShownNameRecord& r) {
  const NameRecord& name = r.name;
  std::string text = coloured(Colour::bold, name.kind + "/" + name.name) + "\n";
  text += line("state", life_text(name.life));
  if (name.id) text += line("id", name.kind + ":[" + std::to_string(*name.id) + "]");
  text += line("file", name.file);
  if (name.owner)
    text += line("owned by", (name.owner_name.empty() ? "" : name.owner_name + ", ") + "user:[" +
                                 std::to_string(*name.owner) + "]");
  if (name.holder) text += line("held by", "pid " + std::to_string(*name.holder));
  text += line("host name", r.settings.hostname.value_or(""));
  text += line("domain name", r.settings.domainname.value_or(""));
  text += line("user ids", map_text(r.settings.uid_map));
  text += line("group ids", map_text(r.settings.gid_map));
  text += line("clocks", offset_text(r.settings.monotonic_offset));
  text += line("owns", join(r.owns, ", "));
  text += line("containers", join(r.containers, ", "));
  text += line("users", std::to_string(name.users));
  if (r.processes.empty()) return text;
  Table table({"  PID", "PROCESS", "CONTAINER"});
  for (const UserRecord& user : r.processes)
    table.add({"  " + std::to_string(user.pid), user.name,
               user.container.empty() ? "-" : user.container});
  return text + table.text();
}

Result<int> act(const Options& o) {
  const ns::Names names = TRY(open_names());
  for (const std::string& text : o.names) {
    const ShownNameRecord record = TRY(shown(names, text));
    TRY(o.json ? print_json(record) : print(text_of(record)));
  }
  return 0;
}

}  // namespace

const Verb ns_show_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
