// Text without kernel knowledge: splitting, numbers, sizes, near misses.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace umbel {

std::string_view trimmed(std::string_view text);
// "a,b,,c" at ',' gives a, b, "" and c; an empty text gives nothing.
std::vector<std::string_view> split(std::string_view text, char separator);
// Runs of blanks separate; none is empty.
std::vector<std::string_view> words(std::string_view text);
// Cuts at the first separator: "a=b=c" at '=' gives {a, b=c}; nullopt where there is none.
struct Halves {
  std::string_view before, after;
};
std::optional<Halves> cut(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);

// The whole text must be the number.
std::optional<std::int64_t> number(std::string_view text, int base = 10);
std::optional<std::uint64_t> unsigned_number(std::string_view text, int base = 10);
std::optional<double> decimal(std::string_view text);

// "512m", "1.5GiB", "4096": powers of 1024 as Docker has them; bytes.
Result<std::uint64_t> parse_size(std::string_view text);
// "1.5 GiB"
std::string size_text(std::uint64_t bytes);
// "10s", "1m30s", "250ms", "2h"; a plain number is seconds. Nanoseconds.
Result<std::int64_t> parse_duration(std::string_view text);

// The candidate that a person probably meant (edit distance of at most a third of its length).
std::optional<std::string_view> nearest(std::string_view wrong,
                                        std::span<const std::string_view> candidates);

}  // namespace umbel
