// `umbel policy list` and `umbel policy show NAME`: what there is to promise.
#include <array>

#include "base/text.h"
#include "cli/umbel/commands.h"
#include "cli/umbel/output.h"
#include "cli/umbel/policy_records.h"
#include "policy/library.h"

namespace umbel::cli {

namespace {

using policy::Entry;
using policy::Library;
using policy::Policy;

struct Options {
  std::vector<std::string> words;
  bool json = false, toml = false;
};

Syntax syntax(Options& o) {
  return {
      .sections = {{"",
                    {{"json", 0, "", "as JSON", &o.json},
                     {"toml", 0, "", "show: the file itself, to start one of your own from",
                      &o.toml}}}},
      .operands = {"list | show POLICY...", 1, any_number, &o.words},
      .about =
          "A policy says which namespaces a container has of its own or shares, which limits it "
          "must have, what it may hold of the world outside, and whether it can be checkpointed. "
          "umbel run --policy keeps a container to it for life, and umbel check judges any "
          "running container.\n\n"
          "Your own are files NAME.toml in ~/.config/umbel/policies, this host's in "
          "/etc/umbel/policies. Several demand what each demands: --policy migratable,sandbox.",
      .examples = {{"umbel policy list", "all of them, in a line each"},
                   {"umbel policy show migratable", "what it demands, and what it is for"},
                   {"umbel policy show --toml sandbox >~/.config/umbel/policies/mine.toml",
                    "the beginning of your own"}}};
}

PolicyRecord record_of(const Policy& policy, const std::string& from) {
  PolicyRecord record{.name = policy.name,
                      .summary = policy.summary,
                      .use = policy.use,
                      .from = from,
                      .checkpoint = policy.checkpoint,
                      .limits = policy.limits,
                      .hidden = policy.hidden,
                      .no_links = policy.no_links,
                      .usual_rights = policy.usual_rights};
  for (const ns::KindInfo& kind : ns::kinds)
    for (const policy::Accepted& one : policy.of(kind.kind))
      record.namespaces[std::string(kind.option)].push_back(policy::accepted_text(one));
  for (const policy::ReachInfo& reach : policy::reaches)
    record.outside[std::string(reach.name)] = policy.is_closed(reach.reach) ? "none" : "any";
  return record;
}

std::string choice_text(const std::vector<policy::Accepted>& list) {
  std::string text = policy::needs_text(list);
  if (text == "anything" && !list.empty()) text += ", " + accepted_text(list.front()) + " chosen";
  return text;
}

std::string text_of(const Policy& policy, const std::string& from) {
  std::string text = coloured(Colour::bold, policy.name) + ": " + policy.summary + "\n";
  if (!from.empty()) text += "from " + from + "\n";
  text += "\n" + policy.use + "\n\n";
  Table table({"NAMESPACE", "MUST BE"});
  for (const ns::KindInfo& kind : ns::kinds)
    if (!policy.of(kind.kind).empty())
      table.add({std::string(kind.option), choice_text(policy.of(kind.kind))});
  text += table.text();
  if (!policy.limits.empty()) {
    Table limits({"LIMIT", "IF NOT GIVEN"});
    for (const auto& [name, value] : policy.limits)
      limits.add({name, value.empty() ? "refused" : value});
    text += "\n" + limits.text();
  }
  std::string closed;
  for (const policy::ReachInfo& reach : policy::reaches)
    if (policy.is_closed(reach.reach)) closed += "  no " + std::string(reach.what) + "\n";
  if (policy.no_links) closed += "  no network link but loopback\n";
  if (policy.usual_rights) closed += "  no capability beyond the usual ones, and a filter\n";
  if (policy.checkpoint) closed += "  nothing that a checkpoint can't carry\n";
  for (const std::string& path : policy.hidden) closed += "  " + path + " hidden\n";
  return text + (closed.empty() ? "" : "\n" + closed);
}

Result<void> list(const Options& o) {
  Table table({"POLICY", "SUMMARY", "FROM"});
  std::vector<PolicyRecord> records;
  for (const Entry& entry : TRY(Library::usual().all())) {
    const Policy policy = TRY(policy::parse(entry.name, entry.text));
    table.add({entry.name, policy.summary, entry.from.empty() ? "umbel" : entry.from});
    records.push_back(record_of(policy, entry.from));
  }
  return o.json ? print_json(records) : print(table.text());
}

Result<void> show(const Options& o) {
  const Library library = Library::usual();
  std::vector<PolicyRecord> records;
  for (std::size_t i = 1; i < o.words.size(); ++i) {
    const std::string& name = o.words[i];
    const bool one = !name.contains(',');
    const Entry entry = one ? TRY(library.find(name)) : Entry{name, {}, {}};
    if (o.toml) {
      if (!one) return fail("--toml shows one file, not what several come to");
      TRY(print(entry.text));
      continue;
    }
    const Policy policy = TRY(library.composed(name));
    records.push_back(record_of(policy, entry.from));
    if (!o.json) TRY(print((i > 1 ? "\n" : "") + text_of(policy, entry.from)));
  }
  return o.json ? print_json(records) : Result<void>();
}

struct Action {
  std::string_view name;
  std::size_t least, most;  // words after it
  Result<void> (*act)(const Options&);
};
constexpr std::array actions =
    std::to_array<Action>({{"list", 0, 0, list}, {"show", 1, any_number, show}});

Result<int> act(const Options& o) {
  for (const Action& action : actions) {
    if (action.name != o.words.front()) continue;
    if (o.words.size() - 1 < action.least)
      return fail("show needs the name of a policy", "umbel policy list shows them");
    if (o.words.size() - 1 > action.most)
      return fail("list needs nothing else, and '" + o.words[1] + "' was given");
    TRY(action.act(o));
    return 0;
  }
  static constexpr std::array<std::string_view, 2> names{"list", "show"};
  const auto meant = nearest(o.words.front(), names);
  return fail(
      "umbel policy does not know '" + o.words.front() + "'",
      meant ? "did you mean " + std::string(*meant) + "?" : "umbel policy list, or show NAME");
}

}  // namespace

const Verb policy_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
