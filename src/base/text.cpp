// Whole numbers go through from_chars, which knows no locale, no leading blanks and no "0x", and a
// text counts only when all of it was read. Fractions are read and written by whole numbers: the
// library's own ways for double would add 200 KB of tables to every start of a static program.
// Sizes and durations are reckoned in double: exact up to 2^53 bytes, and a fraction such as 1.5g
// is allowed.
#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

namespace umbel {

namespace {

constexpr std::string_view blanks = " \t\r\n\v\f";

template <class Number>
std::optional<Number> whole_number(std::string_view text, int base) {
  Number value{};
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Unit {
  std::string_view name;
  double factor;
};

// Two neighbours that changed places are one mistake, as people make it ("rnu").
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> last(b.size() + 1);  // of the row before
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::vector<std::size_t> next(b.size() + 1, i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = row[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      next[j] = std::min({replaced, row[j] + 1, next[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        next[j] = std::min(next[j], last[j - 2] + 1);
    }
    last = std::exchange(row, std::move(next));
  }
  return row[b.size()];
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  if (text.empty()) return parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  for (;;) {
    const std::size_t begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return found;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(blanks), text.size());
    found.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::optional<Halves> cut(std::string_view text, char separator) {
  const std::size_t at = text.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  return Halves{text.substr(0, at), text.substr(at + 1)};
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i != 0) text += separator;
    text += parts[i];
  }
  return text;
}

std::optional<std::int64_t> number(std::string_view text, int base) {
  return whole_number<std::int64_t>(text, base);
}

std::optional<std::uint64_t> unsigned_number(std::string_view text, int base) {
  return whole_number<std::uint64_t>(text, base);
}

std::optional<double> decimal(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const std::size_t dot = std::min(text.find('.'), text.size());
  // Without the dot, and how many of its digits stood behind it.
  std::string digits(text.substr(0, dot));
  if (dot < text.size()) digits += text.substr(dot + 1);
  const std::optional<std::uint64_t> whole = unsigned_number(digits);
  if (!whole) return std::nullopt;
  double value = static_cast<double>(*whole);
  double divisor = 1;
  for (std::size_t i = dot + 1; i < text.size(); ++i) divisor *= 10;
  value /= divisor;
  return negative ? -value : value;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  std::string unit(text.substr(digits));
  std::ranges::transform(unit, unit.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  // "kb" and "kib" are "k"; what does not begin with a letter of its own stays unknown.
  if (unit.size() == 3 && unit.ends_with("ib")) unit.resize(1);
  if (unit.size() == 2 && unit.ends_with('b') && unit != "bb") unit.resize(1);
  static constexpr std::array<Unit, 7> units{{{"", 1},
                                              {"b", 1},
                                              {"k", 0x1p10},
                                              {"m", 0x1p20},
                                              {"g", 0x1p30},
                                              {"t", 0x1p40},
                                              {"p", 0x1p50}}};
  const auto* known = std::ranges::find(units, unit, &Unit::name);
  const std::optional<double> amount = decimal(text.substr(0, digits));
  const double bytes = amount && known != units.end() ? *amount * known->factor : -1;
  if (bytes < 0 || bytes >= 0x1p63)
    return fail("'" + std::string(text) + "' is not a size", "write it like 512m, 1.5g or 4096");
  return static_cast<std::uint64_t>(bytes);
}

std::string size_text(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 6> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  const auto rounded = [&] { return unit != 0 && amount < 100 ? amount : std::round(amount); };
  while (rounded() >= 1024 && unit + 1 < units.size()) {
    amount /= 1024;
    ++unit;
  }
  std::string digits = std::to_string(std::llround(amount));
  if (unit != 0 && amount < 99.95) {
    const long long tenths = std::llround(amount * 10);
    digits = std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
  }
  return digits + " " + std::string(units[unit]);
}

Result<std::int64_t> parse_duration(std::string_view text) {
  static constexpr std::array<Unit, 7> units{{{"ms", 1e6},
                                              {"us", 1e3},
                                              {"ns", 1},
                                              {"s", 1e9},
                                              {"m", 60e9},
                                              {"h", 3600e9},
                                              {"d", 86400e9}}};
  const Failure wrong = fail("'" + std::string(text) + "' is not a duration",
                             "write it like 10s, 1m30s, 250ms or 10 (seconds)");
  std::string_view rest = text;
  double total = 0;
  const bool negative = rest.starts_with('-');
  if (negative) rest.remove_prefix(1);
  if (rest.empty()) return wrong;
  while (!rest.empty()) {
    const std::size_t digits = std::min(rest.find_first_not_of("0123456789."), rest.size());
    const std::optional<double> amount = decimal(rest.substr(0, digits));
    rest.remove_prefix(digits);
    const std::size_t letters = std::min(rest.find_first_of("0123456789."), rest.size());
    const std::string_view unit = rest.substr(0, letters);
    rest.remove_prefix(letters);
    const auto* known = std::ranges::find(units, unit.empty() ? "s" : unit, &Unit::name);
    if (!amount || known == units.end()) return wrong;
    total += *amount * known->factor;
  }
  if (total >= 0x1p63) return wrong;
  return static_cast<std::int64_t>(negative ? -total : total);
}

std::optional<std::string_view> nearest(std::string_view wrong,
                                        std::span<const std::string_view> candidates) {
  std::optional<std::string_view> best;
  std::size_t least = std::max<std::size_t>(wrong.size() / 3, 1) + 1;
  for (std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(wrong, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace umbel
