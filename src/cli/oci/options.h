// The command line as Go's flag package has it, which the engines write for: -name and --name are
// the same, a value follows after "=" or as the next word, and the first word that is no option
// ends them. Options are a table that says where each value goes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "cli/faces.h"

namespace umbel::cli::oci {

struct Option {
  std::string_view name;
  char letter;             // 0: none
  std::string_view value;  // what help calls it; empty for a flag
  std::string_view what;
  std::variant<bool*, std::string*, std::optional<std::string>*, std::vector<std::string>*,
               std::optional<std::int64_t>*, std::optional<std::uint64_t>*>
      into;
};

// Fills in the values; the words after the options. An unknown option is an error that suggests.
Result<Words> parse(Words args, std::span<const Option> options);

// The options as help lists them, a line each.
std::string options_text(std::span<const Option> options);

}  // namespace umbel::cli::oci
