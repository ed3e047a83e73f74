// The one table of options: the command line, configuration files and requests all set them by it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/criu/options.h"

namespace umbel::cli::criu {

enum class Takes { nothing, value, optional_value };

struct Option {
  std::string_view name;
  char letter;
  Takes takes;
  std::string_view help;
  // Null: not there yet. `value` is empty where none was given.
  Result<void> (*set)(Options&, const std::string& value);
  // What the field of a request is called (rpc.proto), where that is not the name with '_' for '-'.
  std::string_view field = {};
};
// What a flag that is taken back (--no-FLAG) is set to.
constexpr std::string_view negative = "no";

std::span<const Option> option_table();

}  // namespace umbel::cli::criu
