#include "base/text.h"
#include "cli/umbel/commands.h"
#include "cli/umbel/names.h"
#include "cli/umbel/output.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> names;
  bool force = false;
};

Syntax syntax(Options& o) {
  return {.sections = {{"",
                        {{"force", 'f', "",
                          "also while processes are in it: they stay there, in a namespace without "
                          "a name; but a pid namespace that umbel holds ends with all of them",
                          &o.force}}}},
          .operands = {"NAME...", 1, any_number, &o.names},
          .about = "A namespace without a name and without users ends.",
          .examples = {{"umbel ns rm lab", "where nothing runs in it"},
                       {"umbel ns rm net/lab uts/lab", "two that have the same name"}}};
}

Result<void> remove(const ns::Names& names, const std::string& text, bool force) {
  const ns::Name name = TRY(names.find(text));
  const std::vector<HostPid> users = users_of(name, TRY(ns::all_users()));
  if (!users.empty() && !force) {
    std::vector<std::string> pids;
    for (const HostPid pid : users)
      if (pids.size() < 5) pids.push_back(std::to_string(pid.value()));
    if (pids.size() < users.size()) pids.emplace_back("...");
    return fail(ns::full_name(name) + " is in use by " + std::to_string(users.size()) +
                    (users.size() == 1 ? " process: " : " processes: ") + join(pids, ", "),
                "end them first (umbel ns show " + ns::full_name(name) +
                    "), or umbel ns rm --force " + ns::full_name(name));
  }
  TRY(names.remove(name));
  return print_line(ns::full_name(name));
}

Result<int> act(const Options& o) {
  int code = 0;
  for (const std::string& text : o.names) {
    const ns::Names names = TRY(open_names());
    const Result<void> removed = remove(names, text, o.force);
    if (removed) continue;
    report("ns rm", removed.error());
    code = 125;
  }
  return code;
}

}  // namespace

const Verb ns_rm_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
