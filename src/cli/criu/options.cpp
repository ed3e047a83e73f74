// Words and fields to options, by the one table of them.
#include "cli/criu/options.h"

#include <algorithm>

#include "base/text.h"
#include "cli/criu/option_table.h"

namespace umbel::cli::criu {

namespace {

const Option* by_name(std::string_view name) {
  const auto found = std::ranges::find(option_table(), name, &Option::name);
  return found == option_table().end() ? nullptr : &*found;
}
const Option* by_letter(char letter) {
  const auto found = std::ranges::find(option_table(), letter, &Option::letter);
  return letter == '\0' || found == option_table().end() ? nullptr : &*found;
}

std::string field_of(const Option& option) {
  std::string name(option.field.empty() ? option.name : option.field);
  std::ranges::replace(name, '-', '_');
  return name;
}

Failure unknown(const std::string& word) {
  std::vector<std::string_view> names;
  for (const Option& option : option_table()) names.push_back(option.name);
  const auto near = nearest(std::string_view(word).substr(word.find_first_not_of('-')), names);
  return fail("there is no option " + word,
              near ? "did you mean --" + std::string(*near) + "?" : "see criu(8) for the options");
}

class Parser {
 public:
  Parser(Options& into, Words words, From from) : left_(words), made_(into), from_(from) {}

  Result<void> parse() {
    while (!left_.empty()) {
      const std::string word = left_.front();
      left_ = left_.subspan(1);
      if (word == "--") {
        made_.execute.assign(left_.begin(), left_.end());
        break;
      }
      TRY(take(word));
    }
    return {};
  }

 private:
  Result<void> take(const std::string& word) {
    if (word.starts_with("--")) return take_long(word);
    if (word.starts_with("-") && word.size() > 1) return take_short(word);
    if (from_ == From::file) return fail("'" + word + "' is no option");
    if (made_.command.empty())
      made_.command = word;
    else
      made_.words.push_back(word);
    return {};
  }
  Result<void> take_long(const std::string& word) {
    const auto halves = cut(std::string_view(word).substr(2), '=');
    const std::string_view name = halves ? halves->before : std::string_view(word).substr(2);
    const Option* option = by_name(name);
    if (option == nullptr && name.starts_with("no-")) return take_back(word, name.substr(3));
    if (option == nullptr) return unknown(word);
    std::optional<std::string> value;
    if (halves) value = halves->after;
    return set(*option, word, value);
  }
  Result<void> take_back(const std::string& word, std::string_view name) {
    const Option* option = by_name(name);
    if (option == nullptr || option->takes != Takes::nothing) return unknown(word);
    if (option->set == nullptr) return {};
    return option->set(made_, std::string(negative));
  }
  Result<void> take_short(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const Option* option = by_letter(word[i]);
      if (option == nullptr) return unknown(word);
      if (option->takes == Takes::nothing) {
        TRY(set(*option, word, std::nullopt));
        continue;
      }
      const std::string rest = word.substr(i + 1);
      std::optional<std::string> value;
      if (!rest.empty()) value = rest;
      return set(*option, word, value);
    }
    return {};
  }
  Result<void> set(const Option& option, const std::string& word,
                   std::optional<std::string> value) {
    if (option.set == nullptr) return fail("--" + std::string(option.name) + " is not there yet");
    if (option.takes == Takes::nothing && value) return fail(word + ": it takes no value");
    if (option.takes == Takes::value && !value) {
      if (left_.empty()) return fail("--" + std::string(option.name) + " needs a value");
      value = left_.front();
      left_ = left_.subspan(1);
    }
    return during("--" + std::string(option.name), option.set(made_, value.value_or("")));
  }
  Words left_;
  Options& made_;
  From from_;
};

}  // namespace

Result<void> apply(Options& options, Words words, From from) {
  return Parser(options, words, from).parse();
}

Result<void> apply_field(Options& options, const std::string& field, const std::string& value) {
  const auto found = std::ranges::find(option_table(), field, field_of);
  const bool flag = value == "true" || value == "false";
  if (found == option_table().end() || found->set == nullptr)
    return value == "false" ? Result<void>() : fail("the option " + field + " is not there yet");
  if (!flag || found->takes != Takes::nothing)
    return during("the option " + field, found->set(options, value));
  return during("the option " + field,
                found->set(options, value == "true" ? "" : std::string(negative)));
}

std::string options_help() {
  std::string text;
  for (const Option& option : option_table()) {
    if (option.set == nullptr) continue;
    std::string line =
        option.letter != '\0' ? "  -" + std::string(1, option.letter) + ", --" : "      --";
    line += option.name;
    if (option.takes == Takes::value) line += " VALUE";
    if (option.takes == Takes::optional_value) line += "[=VALUE]";
    constexpr std::size_t column = 34;
    line.resize(std::max(line.size() + 1, column), ' ');
    text += line + std::string(option.help) + "\n";
  }
  return text;
}

}  // namespace umbel::cli::criu
