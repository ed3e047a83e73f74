// Names and commands come from containers, whose bytes could move a terminal's cursor or worse:
// what is not printable is shown as '?' in tables.
#include "cli/umbel/output.h"

#include <stdlib.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "console/terminal.h"
#include "sys/file.h"

namespace umbel::cli {

namespace {

bool has_colours(Stream stream) {
  const char* forbidden = ::getenv("NO_COLOR");
  if (forbidden != nullptr && *forbidden != 0) return false;
  const char* term = ::getenv("TERM");
  if (term == nullptr || std::string_view(term) == "dumb") return false;
  return console::is_terminal(stream == Stream::out ? standard_out : standard_error);
}

std::string_view code(Colour colour) {
  switch (colour) {
    case Colour::red:
      return "\x1b[31m";
    case Colour::green:
      return "\x1b[32m";
    case Colour::yellow:
      return "\x1b[33m";
    case Colour::bold:
      return "\x1b[1m";
    case Colour::faint:
      return "\x1b[2m";
  }
  return "";
}

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }
bool controls(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

struct Unit {
  std::int64_t seconds;
  std::string_view name;
};
constexpr std::array units =
    std::to_array<Unit>({{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}});

}  // namespace

Result<void> print(std::string_view text) { return sys::write_all(standard_out, text); }
Result<void> print_line(std::string_view text) { return print(std::string(text) + "\n"); }

std::string coloured(Colour colour, std::string_view text, Stream stream) {
  if (!has_colours(stream)) return std::string(text);
  return std::string(code(colour)) + std::string(text) + "\x1b[0m";
}

void report(std::string_view context, const Error& error) {
  std::string text = coloured(Colour::red, "umbel:", Stream::err) + " ";
  if (!context.empty()) text += std::string(context) + ": ";
  text += error.message() + "\n";
  if (!error.cure.empty()) text += "  try: " + error.cure + "\n";
  (void)sys::write_all(standard_error, text);
}

void note(std::string_view text) {
  (void)sys::write_all(standard_error, coloured(Colour::yellow, "umbel: note:", Stream::err) + " " +
                                           std::string(text) + "\n");
}

std::size_t width(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {  // one of our colours
      i = std::min(text.find('m', i), text.size());
      continue;
    }
    if (!continues(text[i])) ++columns;
  }
  return columns;
}

std::string Table::text() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  std::string all;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - width(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    all += line + "\n";
  }
  return all;
}

std::string duration_text(std::int64_t nanoseconds) {
  const std::int64_t seconds = std::max<std::int64_t>(nanoseconds, 0) / 1'000'000'000;
  for (const Unit& unit : units) {
    const std::int64_t count = seconds / unit.seconds;
    if (count == 0 && unit.seconds > 1) continue;
    return std::to_string(count) + " " + std::string(unit.name) + (count == 1 ? "" : "s");
  }
  return {};
}

std::string shortened(std::string_view text, std::size_t columns) {
  std::string kept;
  std::size_t used = 0;
  for (const char c : text) {
    if (!continues(c) && ++used > columns) {
      // The last character makes room for the dots.
      while (!kept.empty() && continues(kept.back())) kept.pop_back();
      if (!kept.empty()) kept.pop_back();
      return kept + "…";
    }
    kept += controls(c) ? '?' : c;
  }
  return kept;
}

std::string quoted(const std::vector<std::string>& list) {
  static constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%^";
  std::string all;
  for (const std::string& word : list) {
    if (!all.empty()) all += ' ';
    if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) {
      all += word;
      continue;
    }
    all += '\'';
    for (const char c : word) all += c == '\'' ? "'\\''" : std::string(1, c);
    all += '\'';
  }
  return all;
}

}  // namespace umbel::cli
