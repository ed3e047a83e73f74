// A container's output on disk, a record a line, as Kubernetes' CRI has it:
//   2026-01-02T03:04:05.678901234Z stdout F text
// F: the text was followed by a line's end; P: it was not. So the output can be had back byte by
// byte. At 10 MiB the file becomes NAME.1, which replaces an older one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::console {

enum class Stream : char { out = 'o', err = 'e' };

class LogWriter {
 public:
  static Result<LogWriter> open(std::string path);
  Result<void> write(Stream stream, std::string_view data);

 private:
  explicit LogWriter(std::string path) : path_(std::move(path)) {}
  Result<void> reopen();
  std::string path_;
  Fd file_;
  std::uint64_t size_ = 0;
};

struct LogRecord {
  std::string_view time, text;
  Stream stream = Stream::out;
  bool whole = false;  // a line's end follows
};
struct LogQuery {
  std::optional<std::size_t> tail;  // lines
  std::string since, until;         // as in the records; empty: no limit
  bool follow = false;
  std::function<bool()> ended;  // asked about ten times a second while following
};
// Calls `show` for each record, oldest first.
Result<void> read_log(const std::string& path, const LogQuery& query,
                      const std::function<Result<void>(const LogRecord&)>& show);

// Nanoseconds since 1970 as in the records.
std::string log_time(std::int64_t nanoseconds);

}  // namespace umbel::console
