// getopt_long's habits, without its globals: -it is -i -t, -eA=1 and -e A=1, --env=A=1 and
// --env A=1; "--" ends the options; "-" is an operand. An option's value may begin with a dash.
#include "cli/umbel/options.h"

#include <algorithm>

#include "base/text.h"

namespace umbel::cli {

namespace {

std::string spelling(const Option& option) { return "--" + std::string(option.name); }

const Option* by_name(const Syntax& syntax, std::string_view name) {
  for (const Section& section : syntax.sections)
    for (const Option& option : section.options)
      if (option.name == name || (!option.alias.empty() && option.alias == name)) return &option;
  return nullptr;
}

const Option* by_letter(const Syntax& syntax, char letter) {
  for (const Section& section : syntax.sections)
    for (const Option& option : section.options)
      if (option.letter == letter) return &option;
  return nullptr;
}

Failure unknown(const Syntax& syntax, std::string_view name) {
  std::vector<std::string_view> names{"help"};
  for (const Section& section : syntax.sections)
    for (const Option& option : section.options) names.push_back(option.name);
  const auto meant = nearest(name, names);
  return fail("there is no option --" + std::string(name),
              meant ? "did you mean --" + std::string(*meant) + "?" : "--help lists them");
}

bool is_switch(const Option& option) { return std::holds_alternative<bool*>(option.into); }

void set(const Option& option, std::string_view value) {
  if (auto* const* text = std::get_if<std::string*>(&option.into)) **text = value;
  if (auto* const* maybe = std::get_if<std::optional<std::string>*>(&option.into)) **maybe = value;
  if (auto* const* list = std::get_if<std::vector<std::string>*>(&option.into))
    (*list)->emplace_back(value);
}

Result<void> set_switch(const Option& option, std::string_view value) {
  if (value != "true" && value != "false")
    return fail(spelling(option) + " is a switch, and '" + std::string(value) +
                    "' is neither true nor false",
                "write " + spelling(option) + " alone");
  *std::get<bool*>(option.into) = value == "true";
  return {};
}

class Parser {
 public:
  Parser(const Syntax& syntax, Words words) : syntax_(syntax), words_(words) {}

  Result<Asked> run() {
    bool options = true;
    while (at_ < words_.size()) {
      const std::string& word = words_[at_++];
      if (options && word == "--") {
        options = false;
      } else if (options && (word == "--help" || (word == "-h" && !by_letter(syntax_, 'h')))) {
        return Asked::help;
      } else if (options && word.starts_with("--")) {
        TRY(by_long_name(std::string_view(word).substr(2)));
      } else if (options && word.size() > 1 && word[0] == '-') {
        TRY(by_letters(std::string_view(word).substr(1)));
      } else {
        operands_.push_back(word);
        if (syntax_.operands.rest == Rest::command && operands_.size() >= syntax_.operands.least)
          options = false;
      }
    }
    TRY(count());
    return Asked::run;
  }

 private:
  Result<std::string_view> next_word(const std::string& option, std::string_view argument) {
    if (at_ < words_.size()) return std::string_view(words_[at_++]);
    return fail(option + " needs a value: " + std::string(argument));
  }

  Result<void> by_long_name(std::string_view text) {
    const auto halves = cut(text, '=');
    const std::string_view name = halves ? halves->before : text;
    const Option* option = by_name(syntax_, name);
    if (option == nullptr) return unknown(syntax_, name);
    if (is_switch(*option)) return set_switch(*option, halves ? halves->after : "true");
    set(*option, halves ? halves->after : TRY(next_word(spelling(*option), option->argument)));
    return {};
  }

  Result<void> by_letters(std::string_view letters) {
    while (!letters.empty()) {
      const std::string written = "-" + std::string(letters.substr(0, 1));
      const Option* option = by_letter(syntax_, letters[0]);
      letters.remove_prefix(1);
      if (option == nullptr) return fail("there is no option " + written, "--help lists them");
      if (is_switch(*option)) {
        TRY(set_switch(*option, "true"));
        continue;
      }
      if (letters.starts_with('='))
        letters.remove_prefix(1);
      else if (letters.empty())
        letters = TRY(next_word(written, option->argument));
      set(*option, letters);
      return {};
    }
    return {};
  }

  Result<void> count() {
    const Operands& wanted = syntax_.operands;
    const std::string usage(wanted.usage);
    if (operands_.size() < wanted.least)
      return fail(operands_.empty() ? "needs " + usage : "needs more: " + usage,
                  "--help shows how it is called");
    if (operands_.size() > wanted.most)
      return fail("'" + operands_[wanted.most] + "' is one word too many",
                  wanted.most == 0 ? "it takes options only" : "it takes " + usage);
    if (wanted.into != nullptr) *wanted.into = std::move(operands_);
    return {};
  }

  const Syntax& syntax_;
  Words words_;
  std::size_t at_ = 0;
  std::vector<std::string> operands_;
};

}  // namespace

Result<Asked> parse(const Syntax& syntax, Words words) { return Parser(syntax, words).run(); }

}  // namespace umbel::cli
