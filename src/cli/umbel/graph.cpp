// Who shares what with whom: one table for the eye, JSON for programs, dot for Graphviz, and a
// picture.
#include "policy/graph.h"

#include <algorithm>
#include <initializer_list>

#include "base/text.h"
#include "cli/umbel/commands.h"
#include "cli/umbel/graph_records.h"
#include "cli/umbel/names.h"
#include "cli/umbel/output.h"
#include "sys/file.h"

namespace umbel::cli {

using policy::Graph;
using policy::Node;
using policy::Space;

const std::array<ns::Kind, ns::kind_count> shown_kinds{
    ns::Kind::pid, ns::Kind::ipc,    ns::Kind::net,  ns::Kind::uts,
    ns::Kind::mnt, ns::Kind::cgroup, ns::Kind::time, ns::Kind::user};

namespace {

struct Options {
  bool json = false, dot = false;
  std::optional<std::string> svg, removed;
};

Syntax syntax(Options& o) {
  return {
      .sections = {{"",
                    {{"json", 0, "", "as JSON", &o.json},
                     {"dot", 0, "", "for Graphviz's dot", &o.dot},
                     {"svg", 0, "FILE", "as a picture, into FILE; - is standard output", &o.svg},
                     {"if-removed", 0, "CONTAINER",
                      "who would end with it, or could not be started again", &o.removed}}}},
      .about =
          "The running containers of this host, also those of Docker, podman and other engines, "
          "and each kind of namespace: one of its own, the host's, or one that several share, "
          "or one with a name of its own (umbel ns), which have a letter. Below the table: who "
          "uses "
          "each, processes of no container that "
          "sit in one, namespaces that lie in another container's, and those owned by a user "
          "namespace that is not the host's.",
      .examples = {{"umbel graph", "for reading"},
                   {"umbel graph --svg overlap.svg", "a picture"},
                   {"umbel graph --dot | dot -Tpdf >overlap.pdf", "through Graphviz"},
                   {"umbel graph --if-removed web", "who needs web"}}};
}

std::string letter(std::size_t number) {
  std::string text(1, static_cast<char>('A' + number % 26));
  return number < 26 ? text : text + std::to_string(number / 26);
}

// What several share or what has a name, in the order in which the table shows it, each with a
// letter.
using Letters = std::vector<std::pair<const Space*, std::string>>;
Letters letters(const Graph& graph) {
  Letters given;
  for (const ns::Kind kind : shown_kinds)
    for (const Space& space : graph.spaces)
      if (space.kind == kind && space.stands_out())
        given.emplace_back(&space, letter(given.size()));
  return given;
}

std::string names_of(const Graph& graph, const std::vector<std::size_t>& containers) {
  std::vector<std::string> names;
  for (const std::size_t at : containers) names.push_back(graph.containers[at].name);
  return join(names, ", ");
}

std::string strangers_of(const Space& space) {
  constexpr std::size_t most = 6;
  std::vector<std::string> names;
  for (const policy::Stranger& stranger : space.strangers) {
    if (names.size() == most) {
      names.push_back(std::to_string(space.strangers.size() - most) + " more");
      break;
    }
    names.push_back(shortened(stranger.name, 20) + " (" + std::to_string(stranger.pid.value()) +
                    ")");
  }
  return join(names, ", ");
}

std::string cell(const Space& space, const Letters& given) {
  if (space.id == 0) return "?";
  if (space.host) return coloured(Colour::faint, "host");
  if (const auto found = std::ranges::find(given, &space, &Letters::value_type::first);
      found != given.end())
    return coloured(Colour::bold, found->second);
  return "own";
}

std::string kind_name(const Space& space) { return std::string(ns::info(space.kind).option); }

std::string shared_lines(const Graph& graph, const Letters& given) {
  Table table({"  ", "KIND", "ID", "NAME", "USED BY"});
  for (const auto& [space, letter] : given)
    table.add({"  " + coloured(Colour::bold, letter), kind_name(*space), std::to_string(space->id),
               join(space->names, ", "),
               space->containers.empty() ? coloured(Colour::faint, "nobody")
                                         : names_of(graph, space->containers)});
  return given.empty() ? std::string() : "\n" + table.text();
}

std::string sentence(std::initializer_list<std::string_view> parts) {
  std::string text = "  ";
  for (const std::string_view part : parts) text += part;
  return text + "\n";
}

std::string remarks_on(const Graph& graph, const Space& space) {
  std::string text;
  const std::string whose = names_of(graph, space.containers);
  const std::string_view what = ns::info(space.kind).option;
  if (!space.strangers.empty())
    text +=
        sentence({whose, ": in its ", what, " is also ", strangers_of(space), ", of no container"});
  if (!space.visitors.empty())
    text += sentence(
        {whose, ": in its ", what, " are also processes of ", names_of(graph, space.visitors)});
  const Space* parent = graph.find(space.parent);
  if (parent != nullptr && !parent->containers.empty() && !parent->host)
    text +=
        sentence({whose, ": its ", what, " lies in that of ", names_of(graph, parent->containers)});
  const Space* owner = graph.find(space.owner);
  if (owner != nullptr && !owner->host && !owner->containers.empty() &&
      owner->containers != space.containers)
    text += sentence({whose, ": its ", what, " is owned by the user namespace of ",
                      names_of(graph, owner->containers)});
  return text;
}

// What the table can't show, a line each.
std::string remarks(const Graph& graph) {
  std::string text;
  for (const Space& space : graph.spaces)
    if (!space.containers.empty()) text += remarks_on(graph, space);
  return text.empty() ? text : "\n" + text;
}

std::string text_of(const Graph& graph) {
  const auto given = letters(graph);
  if (graph.containers.empty())
    return "no container runs on this host\n" + shared_lines(graph, given);
  std::vector<std::string> header{"CONTAINER"};
  for (const ns::Kind kind : shown_kinds) {
    std::string name(ns::info(kind).option);
    for (char& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    header.push_back(name);
  }
  Table table(header);
  for (const Node& node : graph.containers) {
    std::vector<std::string> row{shortened(node.name, 40)};
    for (const ns::Kind kind : shown_kinds) row.push_back(cell(graph.space(node, kind), given));
    table.add(std::move(row));
  }
  return table.text() + shared_lines(graph, given) + remarks(graph);
}

std::vector<std::string> name_list(const Graph& graph, const std::vector<std::size_t>& which) {
  std::vector<std::string> names;
  for (const std::size_t at : which) names.push_back(graph.containers[at].name);
  return names;
}

GraphRecord record_of(const Graph& graph) {
  GraphRecord record;
  for (const Node& node : graph.containers) {
    GraphContainerRecord one{.name = node.name,
                             .engine = node.engine,
                             .pid = node.init.value(),
                             .processes = node.processes};
    for (const ns::KindInfo& kind : ns::kinds)
      if (const Space& space = graph.space(node, kind.kind); space.id != 0)
        one.namespaces[std::string(kind.option)] = space.id;
    record.containers.push_back(std::move(one));
  }
  for (const Space& space : graph.spaces) {
    if (space.id == 0) continue;
    SpaceRecord one{.kind = kind_name(space),
                    .id = space.id,
                    .host = space.host,
                    .containers = name_list(graph, space.containers),
                    .visitors = name_list(graph, space.visitors),
                    .names = space.names};
    if (space.parent != 0) one.parent = space.parent;
    if (space.owner != 0) one.owner = space.owner;
    for (const policy::Stranger& stranger : space.strangers)
      one.others.push_back({stranger.pid.value(), stranger.name});
    record.namespaces.push_back(std::move(one));
  }
  return record;
}

std::vector<LossRecord> records_of(const std::vector<policy::Loss>& losses) {
  std::vector<LossRecord> records;
  for (const policy::Loss& loss : losses) records.push_back({loss.container, loss.what, loss.why});
  return records;
}

std::string losses_text(const std::string& name, const std::vector<policy::Loss>& losses) {
  if (losses.empty()) return "nobody: no other container needs " + name + "\n";
  std::string text;
  for (const policy::Loss& loss : losses) {
    const bool ends = loss.what == policy::Loss::What::ends;
    text += coloured(ends ? Colour::red : Colour::yellow, loss.container) +
            (ends ? " ends: " : " runs on: ") + loss.why + "\n";
  }
  return text;
}

Result<void> write_picture(const std::string& file, const std::string& picture) {
  if (file == "-") return print(picture);
  const Fd out = TRY(sys::open(cwd, file, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  return during("writing " + file, sys::write_all(out, picture));
}

Result<void> check(const Options& o) {
  const int forms = (o.json ? 1 : 0) + (o.dot ? 1 : 0) + (o.svg ? 1 : 0);
  if (forms > 1)
    return fail("--json, --dot and --svg are three forms of one answer", "give one of them");
  if (o.removed && (o.dot || o.svg))
    return fail("--if-removed answers in words or as JSON, not as a picture",
                "leave --dot or --svg out");
  return {};
}

Result<int> act(const Options& o) {
  TRY(check(o));
  const container::Home home = TRY(container::Home::open());
  const survey::Host host = TRY(survey::look(home));
  const ns::Names names = TRY(open_names());
  const std::vector<ns::Name> named = TRY(names.all());
  const Graph graph = policy::graph_of(host, named);
  if (o.removed) {
    const std::string name = host.containers[TRY(host.find(*o.removed))].name;
    const auto at = std::ranges::find(graph.containers, name, &Node::name);
    const auto losses =
        policy::if_removed(host, graph, static_cast<std::size_t>(at - graph.containers.begin()));
    if (!o.json) {
      TRY(print(losses_text(name, losses)));
      return 0;
    }
    GraphRecord record = record_of(graph);
    record.if_removed = records_of(losses);
    TRY(print_json(record));
    return 0;
  }
  if (o.json)
    TRY(print_json(record_of(graph)));
  else if (o.svg)
    TRY(write_picture(*o.svg, graph_svg(graph)));
  else
    TRY(print(o.dot ? graph_dot(graph) : text_of(graph)));
  return 0;
}

}  // namespace

const Verb graph_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
