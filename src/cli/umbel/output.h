// What a person sees: text, tables, JSON, errors. Colours only on a terminal, and not with
// NO_COLOR.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/record.h"

namespace umbel::cli {

Result<void> print(std::string_view text);
Result<void> print_line(std::string_view text);
template <class Record>
Result<void> print_json(const Record& record) {
  return print_line(json_text(to_value(record), 2));
}

// "umbel: CONTEXT: message" and "  try: cure", on standard error. Never fails: there is nobody left
// to be told.
void report(std::string_view context, const Error& error);
void note(std::string_view text);

enum class Colour { red, green, yellow, bold, faint };
// The text as it is where standard output (or, with `Stream::err`, standard error) has no colours.
enum class Stream { out, err };
std::string coloured(Colour colour, std::string_view text, Stream stream = Stream::out);

// Columns as wide as their widest cell. The last one is not padded.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;  // the header is the first
};

// "5 seconds", "3 hours": how long ago, or how long.
std::string duration_text(std::int64_t nanoseconds);
std::string shortened(std::string_view text, std::size_t width);
// Characters, not bytes: what a terminal shows of UTF-8, near enough for columns.
std::size_t width(std::string_view text);
// Words as a shell would read them again.
std::string quoted(const std::vector<std::string>& words);

}  // namespace umbel::cli
