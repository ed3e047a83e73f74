#include <algorithm>

#include "base/text.h"
#include "cli/umbel/commands.h"
#include "cli/umbel/names.h"
#include "cli/umbel/output.h"

namespace umbel::cli {

namespace {

struct Options {
  std::vector<std::string> kinds;
  bool json = false, quiet = false;
};

Syntax syntax(Options& o) {
  return {
      .sections = {{"",
                    {{"kind", 0, "KIND", "only those of this kind; may be given again", &o.kinds},
                     {"quiet", 'q', "", "names only: KIND/NAME", &o.quiet},
                     {"json", 0, "", "as JSON", &o.json}}}},
      .operands = {},
      .about =
          "USERS counts the processes in each. HELD BY is the process of umbel's own without "
          "which it would end; most need none. A name that is lost has no namespace any more; "
          "one that has ended is a pid namespace whose first process is gone.",
      .examples = {{"umbel ns list", "for reading"},
                   {"umbel ns list --kind net -q", "the networks"}}};
}

Result<std::vector<NameRecord>> records(const Options& o) {
  std::vector<ns::Kind> wanted;
  for (const std::string& text : o.kinds) {
    const auto kind = ns::kind_named(text);
    if (!kind) return fail("there is no kind of namespace '" + text + "'");
    wanted.push_back(*kind);
  }
  const ns::Names names = TRY(open_names());
  const std::vector<ns::Name> all = TRY(names.all());
  const ns::Users users = TRY(ns::all_users());
  std::vector<NameRecord> found;
  for (const ns::Name& name : all)
    if (wanted.empty() || std::ranges::find(wanted, name.kind) != wanted.end())
      found.push_back(TRY(record_of(name, all, users)));
  return found;
}

Result<int> act(const Options& o) {
  const std::vector<NameRecord> found = TRY(records(o));
  if (o.json) {
    TRY(print_json(found));
    return 0;
  }
  Table table({"KIND", "NAME", "ID", "OWNER", "USERS", "HELD BY"});
  for (const NameRecord& r : found) {
    if (o.quiet) {
      TRY(print_line(r.kind + "/" + r.name));
      continue;
    }
    const std::string owner = !r.owner_name.empty() ? r.owner_name
                              : r.owner             ? "user:[" + std::to_string(*r.owner) + "]"
                                                    : "-";
    const std::string life = r.life == ns::Life::ended ? "ended" : "lost";
    table.add({r.kind, r.name, r.id ? std::to_string(*r.id) : "-", owner,
               r.life == ns::Life::alive ? std::to_string(r.users) : life,
               r.holder ? "pid " + std::to_string(*r.holder) : "-"});
  }
  if (!o.quiet) TRY(print(table.text()));
  return 0;
}

}  // namespace

const Verb ns_list_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
