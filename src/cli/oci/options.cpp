#include "cli/oci/options.h"

#include <algorithm>

#include "base/text.h"

namespace umbel::cli::oci {

namespace {

struct Assign {
  std::string_view name, text;

  Result<void> operator()(bool* into) const {
    if (text.empty() || text == "true" || text == "1")
      *into = true;
    else if (text == "false" || text == "0")
      *into = false;
    else
      return fail("--" + std::string(name) + ": must be true or false, not '" + std::string(text) +
                  "'");
    return {};
  }
  Result<void> operator()(std::string* into) const {
    *into = text;
    return {};
  }
  Result<void> operator()(std::optional<std::string>* into) const {
    *into = std::string(text);
    return {};
  }
  Result<void> operator()(std::vector<std::string>* into) const {
    into->emplace_back(text);
    return {};
  }
  Result<void> operator()(std::optional<std::int64_t>* into) const {
    *into = number(text);
    return *into ? Result<void>() : no_number();
  }
  Result<void> operator()(std::optional<std::uint64_t>* into) const {
    *into = unsigned_number(text);
    return *into ? Result<void>() : no_number();
  }
  Result<void> no_number() const {
    return fail("--" + std::string(name) + ": must be a whole number, not '" + std::string(text) +
                "'");
  }
};

bool is_flag(const Option& option) { return std::holds_alternative<bool*>(option.into); }

Result<const Option*> find(std::string_view name, std::span<const Option> options) {
  const auto found = std::ranges::find_if(options, [&](const Option& option) {
    return option.name == name || (name.size() == 1 && option.letter == name[0]);
  });
  if (found != options.end()) return &*found;
  std::vector<std::string_view> names;
  for (const Option& option : options) names.push_back(option.name);
  const auto meant = nearest(name, names);
  return fail("there is no option --" + std::string(name),
              meant ? "did you mean --" + std::string(*meant) + "?" : "--help lists them");
}

}  // namespace

Result<Words> parse(Words args, std::span<const Option> options) {
  while (!args.empty()) {
    std::string_view word = args.front();
    if (word == "--") return args.subspan(1);
    if (word.size() < 2 || word[0] != '-') return args;
    args = args.subspan(1);
    word.remove_prefix(word.starts_with("--") ? 2 : 1);
    const std::optional<Halves> halves = cut(word, '=');
    const std::string_view name = halves ? halves->before : word;
    const Option* option = TRY(find(name, options));
    Assign assign{.name = option->name, .text = halves ? halves->after : std::string_view()};
    if (!halves && !is_flag(*option)) {
      if (args.empty()) return fail("flag needs an argument: --" + std::string(option->name));
      assign.text = args.front();
      args = args.subspan(1);
    }
    TRY(std::visit(assign, option->into));
  }
  return args;
}

std::string options_text(std::span<const Option> options) {
  constexpr std::size_t column = 30;
  std::string text;
  for (const Option& option : options) {
    std::string line = "   --" + std::string(option.name);
    if (option.letter != 0) line += std::string(", -") + option.letter;
    if (!option.value.empty()) line += " " + std::string(option.value);
    line.resize(std::max(line.size() + 2, column), ' ');
    text += line + std::string(option.what) + "\n";
  }
  return text;
}

}  // namespace umbel::cli::oci
