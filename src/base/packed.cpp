#include "base/packed.h"

#include <array>

#include "base/text.h"

namespace umbel {

std::string packed(const Error& error) {
  std::string text = std::to_string(error.code);
  for (const std::string* part : {&error.call, &error.detail, &error.cure})
    text.append(1, '\0').append(*part);
  return text;
}

Error unpacked(std::string_view text) {
  const auto parts = split(text, '\0');
  Error error;
  if (!parts.empty()) error.code = static_cast<int>(number(parts[0]).value_or(0));
  const std::array<std::string*, 3> into{&error.call, &error.detail, &error.cure};
  for (std::size_t i = 0; i < into.size() && i + 1 < parts.size(); ++i) *into.at(i) = parts[i + 1];
  return error;
}

}  // namespace umbel
