// A container's output on disk, a record a line, as Kubernetes' CRI has it:
//   2026-01-02T03:04:05.678901234Z stdout F text
// F: the text was followed by a line's end; P: it was not. So the output can be had back byte by
// byte. A terminal's output is stdout's. At a size, the file becomes NAME.1, which replaces an
// older one. However a writer ends, the file can be read: only the last record may be torn.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"
#include "console/protocol.h"

namespace umbel::console {

enum class Stream : char { out = 'o', err = 'e' };

// Allocates nothing while it writes.
class LogWriter {
 public:
  // Goes on where an older writer ended.
  static Result<LogWriter> open(const std::string& path, std::uint64_t largest = 10U << 20U);
  // On an error the data is not in the log, and the log is whole. Counted in lost().
  Result<void> write(Stream stream, std::string_view data);

  LogPosition position() const { return {inode_, size_}; }
  std::uint64_t lost() const { return lost_; }

 private:
  LogWriter() = default;
  Result<void> open_file();
  void rotate();
  Result<void> append(Stream stream, std::string_view data);
  Fd dir_, file_;
  std::string name_, old_name_;
  std::uint64_t largest_ = 0, inode_ = 0, size_ = 0, lost_ = 0;
};

struct LogRecord {
  std::string_view time, text;
  Stream stream = Stream::out;
  bool whole = false;  // a line's end follows
};
struct LogQuery {
  std::optional<std::size_t> tail;           // lines, of both streams together
  std::optional<std::int64_t> since, until;  // nanoseconds since 1970, both included
  std::optional<LogPosition> upto;           // not what was written later
  bool follow = false;                       // go on until the writer's process has ended
  FdRef writer = FdRef(-1);                  // a pidfd; without one, until `show` fails
};
// Calls `show` for each record, oldest first. A log that was never begun is empty.
Result<void> read_log(const std::string& path, const LogQuery& query,
                      const std::function<Result<void>(const LogRecord&)>& show);

// As in the records, from nanoseconds since 1970.
constexpr std::size_t log_time_size = 30;
void put_log_time(std::int64_t nanoseconds, std::span<char, log_time_size> into);
std::string log_time(std::int64_t nanoseconds);
// "2026-01-31", "2026-01-31T12:00", "2026-01-31T12:00:00.5Z", "2026-01-31 12:00:00+02:00", or
// seconds since 1970. Without a zone: UTC.
Result<std::int64_t> parse_log_time(std::string_view text);

}  // namespace umbel::console
