// A command line as a table of options, from which the parser, the help, the manual pages and the
// shell completion are all made.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace umbel::cli {

using Words = std::span<const std::string>;

// Where what was given goes. A switch sets a bool; the last of several wins; a list keeps all.
using Target =
    std::variant<bool*, std::string*, std::optional<std::string>*, std::vector<std::string>*>;

struct Option {
  std::string_view name;      // without dashes
  char letter = 0;            // 0: none
  std::string_view argument;  // what help calls its value; empty for a switch
  std::string_view help;
  Target into;
  std::string_view alias = {};  // as another tool calls it; not shown in the help
};

struct Section {
  std::string_view title;
  std::vector<Option> options;
};

// What is no option. After the first word of a command (`umbel run ls -l`) nothing is one.
enum class Rest { operands, command };
struct Operands {
  std::string_view usage;  // "CONTAINER..."
  std::size_t least = 0, most = 0;
  std::vector<std::string>* into = nullptr;
  Rest rest = Rest::operands;
};
constexpr std::size_t any_number = static_cast<std::size_t>(-1);

struct Example {
  std::string_view command, what;
};

struct Syntax {
  std::vector<Section> sections = {};
  Operands operands = {};
  std::string about = {};  // paragraphs, a blank line between them
  std::vector<Example> examples = {};
};

enum class Asked { run, help };
// Writes through the targets. Misspelt options are answered with the one probably meant.
Result<Asked> parse(const Syntax& syntax, Words words);

}  // namespace umbel::cli
