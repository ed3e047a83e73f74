// The variables of a command, as options set them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace umbel::cli {

std::vector<std::string> own_environment();

class Variables {
 public:
  // `own` are the caller's, which can be passed on.
  explicit Variables(std::span<const std::string> own) : own_(own) {}

  // A later one replaces an earlier one of the same name.
  void set(std::string entry);
  // Where the caller has it.
  void pass_on(std::string_view name);
  // NAME=VALUE, or NAME to pass it on.
  Result<void> add(std::string_view text, std::string_view option);
  // One a line; blank lines and those that begin with # are passed over.
  Result<void> add_file(const std::string& path);
  std::vector<std::string> take() { return std::move(entries_); }

 private:
  std::span<const std::string> own_;
  std::vector<std::string> entries_;
};

}  // namespace umbel::cli
