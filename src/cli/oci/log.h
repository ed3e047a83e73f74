// What engines read: a log file of one line an event, and standard error.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace umbel::cli::oci {

class Log {
 public:
  // Where `path` is empty the lines go to standard error. `format` is text or json.
  static Result<Log> open(const std::string& path, const std::string& format);

  // The last thing that a command says: into the file, and for whoever reads only standard error.
  void error(const Error& error) const;
  void warning(std::string_view message) const { line("warning", message); }
  void debug(std::string_view message) const {
    if (debugging) line("debug", message);
  }
  bool debugging = false;

 private:
  std::string entry(std::string_view level, std::string_view message) const;
  void line(std::string_view level, std::string_view message) const;
  std::string path_;
  bool json_ = false;
};

// "2026-01-02T03:04:05.678901234Z"
std::string time_text(std::int64_t nanoseconds);

}  // namespace umbel::cli::oci
