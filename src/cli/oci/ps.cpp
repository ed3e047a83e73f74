// The processes of a container: those of its cgroup, shown by the host's own ps(1).
#include <unistd.h>

#include <algorithm>

#include "base/record.h"
#include "base/text.h"
#include "cli/oci/commands.h"
#include "sys/file.h"
#include "sys/process.h"

namespace umbel::cli::oci {

namespace {

using container::Container;

struct Values {
  std::string format = "table";
};
std::vector<Option> table(Values& v) {
  return {{"format", 'f', "table|json", "ps's table, or the pids alone (table)", &v.format}};
}

// Without a cgroup: the first process and what descends from it.
std::vector<HostPid> descendants(HostPid first) {
  std::vector<HostPid> found{first};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::string pid = std::to_string(found[i].value());
    const Result<std::string> children =
        sys::read_file(cwd, "/proc/" + pid + "/task/" + pid + "/children");
    if (!children) continue;
    for (const std::string_view child : words(*children))
      if (const auto value = number(child)) found.emplace_back(static_cast<std::int32_t>(*value));
  }
  return found;
}

Result<std::vector<HostPid>> processes(const Container& container) {
  if (!container.state.cgroup.empty()) return container.group().processes();
  if (!container.is_running()) return std::vector<HostPid>();
  return descendants(container.state.init.pid);
}

Result<std::string> output_of(const std::vector<std::string>& args) {
  sys::Pipe pipe = TRY(sys::pipe());
  sys::Process child = TRY(sys::start({}, [&] {
    (void)sys::install(pipe.write, 1);
    for (const char* dir : {"/usr/bin/", "/bin/"}) (void)sys::execute(dir + args[0], args, {});
    return 127;
  }));
  pipe.write.close();
  std::string text = TRY(sys::read_all(pipe.read));
  if (TRY(child.wait()).code() != 0) return fail(join(args, " ") + " failed");
  return text;
}

// The header and the lines of these processes.
Result<std::string> chosen_lines(const std::string& text, const std::vector<HostPid>& pids) {
  std::string chosen;
  std::optional<std::size_t> column;
  for (const std::string_view line : split(text, '\n')) {
    const auto cells = words(line);
    if (!column) {
      const auto at = std::ranges::find(cells, "PID");
      if (at == cells.end()) return fail("ps shows no column PID", "do not leave it out");
      column = static_cast<std::size_t>(at - cells.begin());
    } else if (cells.size() <= *column ||
               std::ranges::find(pids, number(cells[*column]).value_or(0), &HostPid::value) ==
                   pids.end()) {
      continue;
    }
    chosen += std::string(line) + "\n";
  }
  return chosen;
}

Result<int> ps(const Global& global, const Values& v, Words words) {
  if (words.empty()) return fail("this command takes the container's id, and ps's own options");
  const Container container = TRY(find(global, words[0]));
  const std::vector<HostPid> pids = TRY(processes(container));
  if (v.format == "json") {
    TRY(print(json_text(to_value(pids))));
    return 0;
  }
  if (v.format != "table") return fail("--format: must be table or json, not '" + v.format + "'");
  std::vector<std::string> args{"ps"};
  const Words own = words.subspan(1);
  args.insert(args.end(), own.begin(), own.end());
  if (own.empty()) args.emplace_back("-ef");
  TRY(print(TRY(chosen_lines(TRY(output_of(args)), pids))));
  return 0;
}

}  // namespace

const Command ps_command{"ps", "ID [PS-OPTION...]", "show the processes of a container",
                         with_options<Values, table, ps>};

}  // namespace umbel::cli::oci
