// The key ends at the first colon, and has no blank before it; whatever is not of that shape is
// kept as it stands.
#include "proc/keyed.h"

#include "base/text.h"

namespace umbel::proc {

Keyed Keyed::parse(std::string_view text) {
  Keyed made;
  for (const std::string_view line : split(text, '\n')) {
    const auto halves = cut(line, ':');
    if (line.empty()) continue;
    if (!halves || halves->before.find(' ') != std::string_view::npos)
      made.loose_.emplace_back(line);
    else
      made.lines_.emplace_back(halves->before, trimmed(halves->after));
  }
  return made;
}

std::optional<std::string_view> Keyed::text(std::string_view key) const {
  for (const auto& [name, value] : lines_)
    if (name == key) return value;
  return std::nullopt;
}

Result<std::uint64_t> Keyed::number(std::string_view key, int base) const {
  const auto found = TRY(numbers(key, base));
  if (found.empty()) return fail("'" + std::string(key) + "' is empty");
  return found.front();
}

Result<std::vector<std::uint64_t>> Keyed::numbers(std::string_view key, int base) const {
  const auto value = text(key);
  if (!value) return fail("there is no '" + std::string(key) + "'");
  std::vector<std::uint64_t> found;
  for (const std::string_view word : words(*value)) {
    // "123 kB": a unit ends the numbers.
    const auto parsed = unsigned_number(word, base);
    if (!parsed && !found.empty()) break;
    if (!parsed)
      return fail("'" + std::string(*value) + "' of " + std::string(key) + " is no number");
    found.push_back(*parsed);
  }
  return found;
}

std::vector<std::string_view> Keyed::all(std::string_view key) const {
  std::vector<std::string_view> found;
  for (const auto& [name, value] : lines_)
    if (name == key) found.push_back(value);
  return found;
}

}  // namespace umbel::proc
