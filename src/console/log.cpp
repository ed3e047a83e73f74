#include "console/log.h"

#include <fcntl.h>
#include <time.h>

#include <array>
#include <chrono>
#include <thread>
#include <vector>

#include "base/text.h"
#include "sys/file.h"
#include "sys/identity.h"

namespace umbel::console {

namespace {

constexpr std::uint64_t largest = std::uint64_t{10} << 20;

std::optional<LogRecord> parse(std::string_view line) {
  // "TIME STREAM F text"; the text may be empty and may hold anything but a line's end.
  const auto time = cut(line, ' ');
  const auto stream = time ? cut(time->after, ' ') : std::nullopt;
  const auto tag = stream ? cut(stream->after, ' ') : std::nullopt;
  if (!tag) return std::nullopt;
  return LogRecord{.time = time->before,
                   .text = tag->after,
                   .stream = stream->before == "stderr" ? Stream::err : Stream::out,
                   .whole = tag->before == "F"};
}

// Hands on what is in range, and remembers where a partial last line begins.
class Reading {
 public:
  Reading(const LogQuery& query, const std::function<Result<void>(const LogRecord&)>& show)
      : query_(query), show_(show) {}

  Result<void> feed(std::string_view data) {
    rest_ += data;
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1)
      TRY(record(std::string_view(rest_).substr(begin, end - begin)));
    rest_.erase(0, begin);
    return {};
  }

 private:
  Result<void> record(std::string_view line) {
    const auto record = parse(line);
    if (!record) return {};  // torn by a crash
    if (!query_.since.empty() && record->time < query_.since) return {};
    if (!query_.until.empty() && record->time > query_.until) return {};
    return show_(*record);
  }
  const LogQuery& query_;
  const std::function<Result<void>(const LogRecord&)>& show_;
  std::string rest_;
};

// The last `lines` whole lines, with the partial records that belong to them.
std::string_view last_lines(std::string_view text, std::size_t lines) {
  std::size_t begin = text.size();
  std::size_t whole = 0;
  while (begin > 0) {
    const std::size_t before = text.rfind('\n', begin - 2);
    const std::size_t start = begin < 2 || before == std::string_view::npos ? 0 : before + 1;
    const auto record = parse(text.substr(start, begin - start - 1));
    if (record && record->whole && whole++ == lines) break;
    begin = start;
  }
  return text.substr(begin);
}

}  // namespace

std::string log_time(std::int64_t nanoseconds) {
  const time_t seconds = nanoseconds / 1'000'000'000;
  tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  ::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.", &parts);
  std::string rest = std::to_string(nanoseconds % 1'000'000'000);
  rest.insert(0, 9 - rest.size(), '0');
  return text.data() + rest + "Z";
}

Result<LogWriter> LogWriter::open(std::string path) {
  LogWriter writer(std::move(path));
  TRY(writer.reopen());
  return writer;
}

Result<void> LogWriter::reopen() {
  file_ = TRY(sys::open(cwd, path_, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600));
  size_ = static_cast<std::uint64_t>(TRY(sys::status(file_)).st_size);
  return {};
}

Result<void> LogWriter::write(Stream stream, std::string_view data) {
  if (size_ > largest) {
    // The directory may have been renamed with its container: then the file just grows on.
    if (sys::rename(cwd, path_, cwd, path_ + ".1")) TRY(reopen());
  }
  const sys::Clock now = TRY(sys::clock_now(CLOCK_REALTIME));
  const std::string head = log_time(now.seconds * 1'000'000'000 + now.nanoseconds) +
                           (stream == Stream::err ? " stderr " : " stdout ");
  std::string records;
  while (!data.empty()) {
    const std::size_t end = data.find('\n');
    records += head;
    records += end == std::string_view::npos ? "P " : "F ";
    records += data.substr(0, end);
    records += '\n';
    data.remove_prefix(end == std::string_view::npos ? data.size() : end + 1);
  }
  size_ += records.size();
  return sys::write_all(file_, records);
}

Result<void> read_log(const std::string& path, const LogQuery& query,
                      const std::function<Result<void>(const LogRecord&)>& show) {
  Reading reading(query, show);
  std::string text;
  if (const Result<std::string> old = sys::read_file(cwd, path + ".1")) text = *old;
  Result<Fd> file = sys::open(cwd, path, O_RDONLY);
  if (!file && file.error().code != ENOENT) return Failure(file.error());
  if (file) text += TRY(sys::read_all(*file));
  TRY(reading.feed(query.tail ? last_lines(text, *query.tail) : std::string_view(text)));
  while (query.follow) {
    // Asked before the last look, so that what was written just before the end is seen.
    const bool ended = query.ended && query.ended();
    const Result<Fd> current = sys::open(cwd, path, O_RDONLY);
    if (file) TRY(reading.feed(TRY(sys::read_all(*file))));
    if (current && (!file || TRY(sys::identity(*current)) != TRY(sys::identity(*file)))) {
      file = TRY(sys::duplicate(*current));
      TRY(reading.feed(TRY(sys::read_all(*file))));
    }
    if (ended) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return {};
}

}  // namespace umbel::console
