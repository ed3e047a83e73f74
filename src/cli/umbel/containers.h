// What several commands do with the containers that they are given.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "container/lifecycle.h"

namespace umbel::cli {

// Does it with each, and prints its name; an error is reported and the next one is tried. 125 if
// there was one.
Result<int> for_each(const std::vector<std::string>& names, std::string_view command,
                     const std::function<Result<void>(container::Container&)>& act);
// Those named, or all that are running where none is.
Result<std::vector<container::Container>> chosen(const container::Home& home,
                                                 const std::vector<std::string>& names);

enum class Input { none, passed };
// Serves the caller's terminal or descriptors until the container ends (its exit code) or the keys
// are typed (0).
Result<int> serve_attached(container::Container& container, FdRef socket, Input input,
                           const std::string& detach_keys);
// "" for the default keys.
Result<std::string> detach_keys(const std::string& text);

// The cure for a command that could not be executed.
Error explain_command(Error error, const container::Config& config);

Result<int> parse_seconds(const std::string& text);

}  // namespace umbel::cli
