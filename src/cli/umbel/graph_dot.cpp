// For Graphviz: containers as boxes, namespaces that somebody shares as ellipses between them.
// The host's own and those of one container alone would hide the picture behind lines: the box
// lists them.
#include "base/text.h"
#include "cli/umbel/graph_records.h"

namespace umbel::cli {

namespace {

// Within double quotes of the dot language, where a backslash followed by anything but a quote
// stands for itself or makes a line end: names come from containers.
std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '"' || c == '\\') safe += '\\';
    safe += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  }
  return safe;
}

std::string id_of(const policy::Space& space) {
  return "\"" + std::string(ns::info(space.kind).option) + ":" + std::to_string(space.id) + "\"";
}

}  // namespace

std::string graph_dot(const policy::Graph& graph) {
  std::string text =
      "graph umbel {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n"
      "  edge [color=\"#5f6b7a\"];\n";
  for (const policy::Node& node : graph.containers) {
    std::string own, host;
    for (const ns::Kind kind : shown_kinds) {
      const policy::Space& space = graph.space(node, kind);
      std::string& list = space.host ? host : own;
      if (!space.stands_out()) list += " " + std::string(ns::info(kind).option);
    }
    text += "  \"" + escaped(node.name) + "\" [shape=box, style=\"rounded,filled\", " +
            "fillcolor=\"#eef3f8\", label=\"" + escaped(node.name) +
            (own.empty() ? "" : "\\nown:" + own) + (host.empty() ? "" : "\\nhost:" + host) +
            "\"];\n";
  }
  for (const policy::Space& space : graph.spaces) {
    if (!space.stands_out()) continue;
    text += "  " + id_of(space) + " [label=\"" + std::string(ns::info(space.kind).option) + "\\n" +
            std::to_string(space.id) +
            (space.names.empty() ? "" : "\\n" + escaped(join(space.names, " "))) + "\"];\n";
    for (const std::size_t at : space.containers)
      text += "  \"" + escaped(graph.containers[at].name) + "\" -- " + id_of(space) + ";\n";
  }
  return text + "}\n";
}

}  // namespace umbel::cli
