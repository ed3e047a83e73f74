// The files of /proc that are lines of "Key:\tvalue": /proc/PID/status (proc_pid_status(5)) and
// /proc/PID/fdinfo/N (proc_pid_fdinfo(5)).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace umbel::proc {

class Keyed {
 public:
  static Keyed parse(std::string_view text);

  // The first line of that key, without the blanks around the value.
  std::optional<std::string_view> text(std::string_view key) const;
  // An error that names the key where it is missing or no number; only its first word counts.
  Result<std::uint64_t> number(std::string_view key, int base = 10) const;
  Result<std::vector<std::uint64_t>> numbers(std::string_view key, int base = 10) const;
  // Every line of that key, in order.
  std::vector<std::string_view> all(std::string_view key) const;
  // Lines without a colon, as fdinfo has them for inotify: "inotify wd:1 ino:...".
  const std::vector<std::string>& loose() const { return loose_; }

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
  std::vector<std::string> loose_;
};

}  // namespace umbel::proc
