// state and list: what is known of a container, in runc's words.
#include <algorithm>

#include "base/record.h"
#include "cli/oci/commands.h"
#include "container/hooks.h"
#include "sys/file.h"

namespace umbel::cli::oci {

namespace {

using container::Container;

struct NoValues {};
std::vector<Option> no_table(NoValues&) { return {}; }

// The user who made it: its directory is that user's.
std::string owner(const Container& container) {
  const Result<struct stat> found = sys::status(container.directory());
  if (!found) return {};
  const Result<Fd> root = sys::open(cwd, "/", O_PATH | O_DIRECTORY);
  if (root)
    if (const auto account = security::look_up_user(*root, std::to_string(found->st_uid));
        account && !account->name.empty())
      return account->name;
  return "#" + std::to_string(found->st_uid);
}

struct Summary {
  std::string version{container::specification}, id;
  std::int64_t pid = 0;
  std::string status, bundle, rootfs, created;
  std::optional<std::map<std::string, std::string>> annotations;
  std::string owner;
};
void fields(auto& archive, Summary& s) {
  archive("ociVersion", s.version);
  archive("id", s.id);
  archive("pid", s.pid);
  archive("status", s.status);
  archive("bundle", s.bundle);
  archive("rootfs", s.rootfs);
  archive("created", s.created);
  archive("annotations", s.annotations);
  archive("owner", s.owner);
}

Summary summary(const Container& container) {
  const container::Config& config = container.config;
  const std::string_view status = status_word(container.status());
  Summary made{.id = container.name(),
               .pid = status == "stopped" ? 0 : container.state.init.pid.value(),
               .status = std::string(status),
               .bundle = config.bundle,
               .rootfs = config.files.root.path,
               .created = time_text(container.state.created),
               .owner = owner(container)};
  if (!config.labels.empty()) made.annotations = config.labels;
  return made;
}

Result<int> state(const Global& global, const NoValues&, Words words) {
  const Container container = TRY(find(global, TRY(only_id(words))));
  TRY(print(json_text(to_value(summary(container)), 2)));
  return 0;
}

struct ListValues {
  std::string format = "table";
  bool quiet = false;
};
std::vector<Option> list_table(ListValues& v) {
  return {{"format", 'f', "table|json", "how they are shown (table)", &v.format},
          {"quiet", 'q', "", "their ids alone", &v.quiet}};
}

std::string table_text(const std::vector<Summary>& all) {
  std::vector<std::vector<std::string>> rows{{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
  for (const Summary& one : all)
    rows.push_back(
        {one.id, std::to_string(one.pid), one.status, one.bundle, one.created, one.owner});
  std::vector<std::size_t> widths(rows[0].size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string text;
  for (auto& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      row[i].resize(std::max<std::size_t>(widths[i] + 1, 12), ' ');
      text += row[i];
    }
    text += row.back() + "\n";
  }
  return text;
}

Result<int> list(const Global& global, const ListValues& v, Words) {
  if (v.format != "table" && v.format != "json")
    return fail("--format: must be table or json, not '" + v.format + "'");
  const container::Home home = TRY(container::Home::open(global.root));
  std::vector<Summary> all;
  for (const Container& one : TRY(home.all())) all.push_back(summary(one));
  std::string text;
  if (v.quiet)
    for (const Summary& one : all) text += one.id + "\n";
  else
    text = v.format == "json" ? json_text(to_value(all)) + "\n" : table_text(all);
  if (!text.empty()) TRY(print(text));
  return 0;
}

}  // namespace

const Command state_command{"state", "ID", "show a container's state as JSON",
                            with_options<NoValues, no_table, state>};
const Command list_command{"list", "", "list the containers",
                           with_options<ListValues, list_table, list>};

}  // namespace umbel::cli::oci
