// The picture: a row a container, a column a kind of namespace. A dot is a namespace of its own, a
// ring the host's; namespaces that several share have a colour, and a line of that colour joins
// their rows. Where a line would run through the dot of a container that is not part of it, it runs
// beside the dots, in a lane of its own.
#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "cli/umbel/graph_records.h"
#include "cli/umbel/output.h"

namespace umbel::cli {

namespace {

using policy::Graph;
using policy::Node;
using policy::Space;

constexpr int margin = 32, label_width = 216, column = 92, row = 58, head = 122, lane_width = 17;
constexpr int dot = 9;
constexpr std::array<std::string_view, 8> palette{"#0c7a8f", "#d9480f", "#6741d9", "#2b8a3e",
                                                  "#c2255c", "#1c6fd1", "#b07d00", "#7a4b2a"};
constexpr std::string_view style =
    "text{font-family:'DejaVu Sans','Segoe UI',Helvetica,Arial,sans-serif;fill:#1f2933}"
    ".title{font-size:20px;font-weight:600}.quiet{font-size:12px;fill:#66727f}"
    ".kind{font-size:14px;font-weight:600;text-anchor:middle}"
    ".what{font-size:10px;fill:#66727f;text-anchor:middle}"
    ".name{font-size:15px;font-weight:600}.count{font-size:9px;fill:#fff;text-anchor:middle}";

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string number(int value) { return std::to_string(value); }

std::string text(int x, int y, std::string_view kind, std::string_view words) {
  return "<text class=\"" + std::string(kind) + "\" x=\"" + number(x) + "\" y=\"" + number(y) +
         "\">" + escaped(words) + "</text>\n";
}

std::string plural(std::size_t count, std::string_view one) {
  return std::to_string(count) + " " + std::string(one) + (count == 1 ? "" : "s");
}

constexpr std::string_view short_what(ns::Kind kind) {
  switch (kind) {
    case ns::Kind::pid:
      return "processes";
    case ns::Kind::ipc:
      return "message queues";
    case ns::Kind::net:
      return "network";
    case ns::Kind::uts:
      return "host name";
    case ns::Kind::mnt:
      return "files";
    case ns::Kind::cgroup:
      return "cgroup tree";
    case ns::Kind::time:
      return "clocks";
    case ns::Kind::user:
      return "users, rights";
  }
  return "";
}

class Picture {
 public:
  explicit Picture(const Graph& graph) : graph_(graph) {
    std::size_t colours = 0;
    for (const ns::Kind kind : shown_kinds) {
      std::vector<std::pair<std::size_t, std::size_t>> taken;  // rows of lines beside the dots
      for (const Space& space : graph_.spaces) {
        if (space.kind != kind || !space.shared() || space.host || space.id == 0) continue;
        colour_[&space] = palette.at(colours++ % palette.size());
        lane_[&space] = lane_for(space, taken);
      }
    }
  }

  std::string draw() {
    const auto rows = static_cast<int>(graph_.containers.size());
    const int width = 2 * margin + label_width + column * static_cast<int>(ns::kind_count);
    const int bottom = head + row * (rows + 1);
    const std::vector<std::string> notes = remarks();
    const int height = bottom + 64 + 20 * static_cast<int>(notes.size());
    std::string made = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(width) +
                       "\" height=\"" + number(height) + "\" viewBox=\"0 0 " + number(width) + " " +
                       number(height) + "\">\n<style>" + std::string(style) + "</style>\n" +
                       "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
    made += heading(rows) + columns(bottom);
    for (int i = 0; i < rows; ++i) made += card(i);
    made += host_row(rows);
    for (const auto& [space, colour] : colour_) made += line(*space, colour);
    for (int i = 0; i < rows; ++i) made += dots(i);
    made += legend(bottom + 30);
    for (std::size_t i = 0; i < notes.size(); ++i)
      made += text(margin, bottom + 62 + 20 * static_cast<int>(i), "quiet", notes[i]);
    return made + "</svg>\n";
  }

 private:
  static int x_of(ns::Kind kind) {
    const auto at = std::ranges::find(shown_kinds, kind) - shown_kinds.begin();
    return margin + label_width + column * static_cast<int>(at) + column / 2;
  }
  static int y_of(int at) { return head + row * at + row / 2; }
  static int y_of(std::size_t at) { return y_of(static_cast<int>(at)); }

  // 0: through the dots themselves.
  static int lane_for(const Space& space, std::vector<std::pair<std::size_t, std::size_t>>& taken) {
    const std::size_t first = space.containers.front();
    const std::size_t last = space.containers.back();
    if (last - first + 1 == space.containers.size()) return 0;
    const auto beside = std::ranges::count_if(
        taken, [&](const auto& rows) { return rows.first <= last && first <= rows.second; });
    taken.emplace_back(first, last);
    return static_cast<int>(beside) + 1;
  }

  std::string heading(int rows) const {
    const auto shared = colour_.size();
    std::string made = text(margin, 42, "title", "Who shares what with whom");
    return made + text(margin, 64, "quiet",
                       plural(static_cast<std::size_t>(rows), "container") + ", " +
                           plural(shared, "shared namespace"));
  }

  static std::string columns(int bottom) {
    std::string made;
    for (const ns::Kind kind : shown_kinds) {
      const int x = x_of(kind);
      made += "<path d=\"M" + number(x) + " " + number(head) + "V" + number(bottom - row / 2) +
              "\" stroke=\"#e3e8ee\" stroke-width=\"1\"/>\n";
      made += text(x, head - 26, "kind", ns::info(kind).option);
      made += text(x, head - 11, "what", short_what(kind));
    }
    return made;
  }

  std::string card(int at) const {
    const Node& node = graph_.containers[static_cast<std::size_t>(at)];
    const int y = head + row * at + 5;
    const int width = label_width + column * static_cast<int>(ns::kind_count);
    std::string made = "<rect x=\"" + number(margin) + "\" y=\"" + number(y) + "\" width=\"" +
                       number(width) + "\" height=\"" + number(row - 10) +
                       "\" rx=\"10\" fill=\"#f4f7fa\" fill-opacity=\"0.8\"/>\n";
    made += text(margin + 16, y + 21, "name", shortened(node.name, 22));
    return made + text(margin + 16, y + 38, "quiet",
                       node.engine + ", " + std::to_string(node.processes) +
                           (node.processes == 1 ? " process" : " processes"));
  }

  static std::string host_row(int at) {
    const int y = y_of(at);
    std::string made = text(margin + 16, y + 5, "quiet", "the host");
    for (const ns::Kind kind : shown_kinds) made += ring(x_of(kind), y);
    return made;
  }

  static std::string ring(int x, int y) {
    return "<circle cx=\"" + number(x) + "\" cy=\"" + number(y) + "\" r=\"" + number(dot - 2) +
           "\" fill=\"#fff\" stroke=\"#a9b4c0\" stroke-width=\"2\"/>\n";
  }

  std::string line(const Space& space, std::string_view colour) const {
    const int x = x_of(space.kind);
    const int side = x + lane_width * lane_.at(&space);
    std::string path = "M" + number(side) + " " + number(y_of(space.containers.front())) + "V" +
                       number(y_of(space.containers.back()));
    if (side != x)
      for (const std::size_t at : space.containers)
        path += "M" + number(x) + " " + number(y_of(at)) + "H" + number(side);
    return "<path d=\"" + path + "\" fill=\"none\" stroke=\"" + std::string(colour) +
           "\" stroke-width=\"5\" stroke-linecap=\"round\" stroke-linejoin=\"round\"/>\n";
  }

  std::string dots(int at) const {
    const Node& node = graph_.containers[static_cast<std::size_t>(at)];
    std::string made;
    for (const ns::Kind kind : shown_kinds) {
      const Space& space = graph_.space(node, kind);
      const int x = x_of(kind);
      const int y = y_of(at);
      if (space.host) {
        made += ring(x, y);
        continue;
      }
      const auto colour = colour_.find(&space);
      made += "<circle cx=\"" + number(x) + "\" cy=\"" + number(y) + "\" r=\"" + number(dot) +
              "\" fill=\"" +
              std::string(colour == colour_.end() ? std::string_view("#7b8794") : colour->second) +
              "\"><title>" + std::string(ns::info(kind).option) + " " + std::to_string(space.id) +
              "</title></circle>\n";
      if (!space.strangers.empty())
        made += text(x, y + 3, "count", "+" + std::to_string(space.strangers.size()));
    }
    return made;
  }

  std::string legend(int y) const {
    int x = margin + 16;
    std::string made = "<circle cx=\"" + number(x) + "\" cy=\"" + number(y) + "\" r=\"" +
                       number(dot - 1) + "\" fill=\"#7b8794\"/>\n";
    made += text(x + 16, y + 4, "quiet", "its own");
    x += 92;
    made += ring(x, y) + text(x + 16, y + 4, "quiet", "the host's");
    x += 112;
    made += "<path d=\"M" + number(x) + " " + number(y) + "h34\" stroke=\"" +
            std::string(palette.front()) + "\" stroke-width=\"5\" stroke-linecap=\"round\"/>\n";
    for (const int at : {x, x + 34})
      made += "<circle cx=\"" + number(at) + "\" cy=\"" + number(y) + "\" r=\"" + number(dot - 1) +
              "\" fill=\"" + std::string(palette.front()) + "\"/>\n";
    return made + text(x + 52, y + 4, "quiet", "one namespace, shared");
  }

  std::string names(const std::vector<std::size_t>& containers) const {
    std::string list;
    for (const std::size_t at : containers)
      list += (list.empty() ? "" : ", ") + graph_.containers[at].name;
    return list;
  }

  std::vector<std::string> remarks() const {
    std::vector<std::string> list;
    for (const Space& space : graph_.spaces) {
      const std::string kind(ns::info(space.kind).option);
      if (!space.names.empty())
        list.push_back(space.containers.empty()
                           ? join(space.names, ", ") + ": a namespace with a name; nobody is in it"
                           : names(space.containers) + ": its " + kind + " has a name, " +
                                 join(space.names, ", "));
      if (space.containers.empty()) continue;
      if (!space.strangers.empty())
        list.push_back("+" + std::to_string(space.strangers.size()) + "  " +
                       names(space.containers) + ": its " + kind + " also holds " +
                       shortened(space.strangers.front().name, 20) + " (" +
                       std::to_string(space.strangers.front().pid.value()) + ")" +
                       (space.strangers.size() > 1 ? " and others" : "") + ", of no container");
      const Space* parent = graph_.find(space.parent);
      if (parent != nullptr && !parent->host && !parent->containers.empty())
        list.push_back(names(space.containers) + ": its " + kind + " lies in that of " +
                       names(parent->containers));
    }
    return list;
  }

  const Graph& graph_;
  std::map<const Space*, std::string_view> colour_;
  std::map<const Space*, int> lane_;
};

}  // namespace

std::string graph_svg(const Graph& graph) { return Picture(graph).draw(); }

}  // namespace umbel::cli
