// Reads the older file, then the newer, in blocks; with a tail twice, since how many lines there
// are is known only at their end, and lines of two streams may be mixed. A writer renames and
// creates, never changes what is written: so a file that is open is read to its end, then its
// successor from its begin, and nothing is missed or seen twice.
#include <fcntl.h>
#include <sys/inotify.h>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "base/text.h"
#include "console/log.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/process.h"
#include "sys/stream.h"
#include "sys/watch.h"

namespace umbel::console {

namespace {

using Show = std::function<Result<void>(const LogRecord&)>;
constexpr std::uint64_t whole_file = std::numeric_limits<std::uint64_t>::max();

std::optional<LogRecord> parse(std::string_view line) {
  // "TIME STREAM F text"; the text may be empty and may hold anything but a line's end.
  const auto time = cut(line, ' ');
  const auto stream = time ? cut(time->after, ' ') : std::nullopt;
  const auto tag = stream ? cut(stream->after, ' ') : std::nullopt;
  if (!tag || time->before.size() != log_time_size) return std::nullopt;
  if (stream->before != "stdout" && stream->before != "stderr") return std::nullopt;
  if (tag->before != "F" && tag->before != "P") return std::nullopt;
  return LogRecord{.time = time->before,
                   .text = tag->after,
                   .stream = stream->before == "stderr" ? Stream::err : Stream::out,
                   .whole = tag->before == "F"};
}

// The number of the line that each record belongs to, in the order of their beginnings.
class Lines {
 public:
  std::size_t number_of(const LogRecord& record) {
    std::optional<std::size_t>& begun = begun_.at(record.stream == Stream::err ? 1 : 0);
    const std::size_t number = begun ? *begun : count_++;
    begun = record.whole ? std::nullopt : std::optional(number);
    return number;
  }
  std::size_t count() const { return count_; }

 private:
  std::size_t count_ = 0;
  std::array<std::optional<std::size_t>, 2> begun_;
};

// Cuts what is read into records, and hands on what is in the range of time.
class Records {
 public:
  Records(const LogQuery& query, Show show) : show_(std::move(show)) {
    // All have the same width: text compares as time does.
    if (query.since) since_ = log_time(*query.since);
    if (query.until) until_ = log_time(*query.until);
  }
  Result<void> feed(std::string_view data) {
    for (std::size_t end = 0; (end = data.find('\n')) != std::string_view::npos;) {
      if (rest_.empty()) {
        TRY(one(data.substr(0, end)));
      } else {
        rest_ += data.substr(0, end);
        TRY(one(rest_));
        rest_.clear();
      }
      data.remove_prefix(end + 1);
    }
    rest_ += data;
    return {};
  }
  // What is left of the last line of a file is nothing of its successor's.
  void next_file() { rest_.clear(); }

 private:
  Result<void> one(std::string_view line) {
    const auto record = parse(line);
    if (!record) return {};  // torn by a crash
    if (!since_.empty() && record->time < since_) return {};
    if (!until_.empty() && record->time > until_) return {};
    return show_(*record);
  }
  Show show_;
  std::string since_, until_, rest_;
};

// From where the descriptor is, to its end or that many bytes.
Result<void> read_on(FdRef file, Records& records, std::uint64_t most = whole_file) {
  std::vector<char> block(std::size_t{64} << 10);
  while (most > 0) {
    const std::size_t wanted = std::min<std::uint64_t>(block.size(), most);
    const std::size_t count = TRY(sys::read(file, std::span(block).first(wanted)));
    if (count == 0) return {};
    most -= count;
    TRY(records.feed({block.data(), count}));
  }
  return {};
}

class Reader {
 public:
  static Result<Reader> open(const std::string& path) {
    Reader reader;
    const std::size_t slash = path.rfind('/');
    const std::string dir = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    reader.dir_ = TRY(sys::open(cwd, dir, O_RDONLY | O_DIRECTORY));
    reader.name_ = path.substr(slash + 1);
    // Before anything is read, so that no change is missed. There may be no watches left.
    if (auto watch = sys::watch_directory(reader.dir_, IN_MODIFY | IN_CREATE | IN_MOVED_TO))
      reader.watch_ = std::move(*watch);
    return reader;
  }

  Result<void> read(const LogQuery& query, const Show& show) {
    TRY(open_files());
    Lines lines;
    std::size_t first = 0;
    if (query.tail) {
      Lines all;
      Records counted(query, [&](const LogRecord& record) -> Result<void> {
        (void)all.number_of(record);
        return {};
      });
      TRY(read_both(counted, query.upto));
      first = all.count() - std::min(all.count(), *query.tail);
      TRY(rewind());
    }
    Records records(query, [&](const LogRecord& record) -> Result<void> {
      return lines.number_of(record) < first ? Result<void>() : show(record);
    });
    TRY(read_both(records, query.upto));
    return query.follow ? follow(records, query) : Result<void>();
  }

 private:
  Result<Fd> open_file(const std::string& name) const {
    return sys::open(dir_, name, O_RDONLY | O_NOFOLLOW);
  }
  static bool same(FdRef a, FdRef b) {
    const auto one = sys::identity(a);
    const auto other = sys::identity(b);
    return one && other && *one == *other;
  }

  // The newer first: renamed in between, it is seen twice, which shows; the other way round one
  // would be missed.
  Result<void> open_files() {
    for (int tries = 0; tries < 10; ++tries) {
      Result<Fd> newer = open_file(name_);
      Result<Fd> older = open_file(name_ + ".1");
      if (!newer && newer.error().code != ENOENT) return Failure(newer.error());
      if (newer && older && same(*newer, *older)) continue;
      newer_ = newer ? std::move(*newer) : Fd();
      older_ = older ? std::move(*older) : Fd();
      break;
    }
    return {};
  }
  Result<void> rewind() {
    for (const Fd* file : {&older_, &newer_})
      if (*file) TRY(sys::seek(*file, 0));
    return {};
  }

  Result<void> read_both(Records& records, const std::optional<LogPosition>& upto) {
    for (const Fd* file : {&older_, &newer_}) {
      if (!*file) continue;
      records.next_file();
      const bool last = upto && TRY(sys::identity(*file)).inode == upto->inode;
      TRY(read_on(*file, records, last ? upto->size : whole_file));
      if (last) break;
    }
    return {};
  }

  Result<void> catch_up(Records& records) {
    for (;;) {
      if (newer_) TRY(read_on(newer_, records));
      Result<Fd> current = open_file(name_);
      if (!current || (newer_ && same(*current, newer_))) return {};
      // A successor is there, so the one that is open will not grow any more.
      if (newer_) TRY(read_on(newer_, records));
      Result<Fd> older = open_file(name_ + ".1");
      const bool skipped = newer_ && older && !same(*older, newer_) && !same(*older, *current);
      records.next_file();
      newer_ = skipped ? std::move(*older) : std::move(*current);
    }
  }

  Result<void> follow(Records& records, const LogQuery& query) {
    for (;;) {
      // Asked before the last look, so that what was written just before the end is seen.
      const bool ended = query.writer && TRY(sys::wait_end(query.writer, {}));
      TRY(catch_up(records));
      const sys::Clock now = TRY(sys::clock_now(CLOCK_REALTIME));
      const bool late = query.until && now.seconds > *query.until / 1'000'000'000;
      if (ended || late) return {};
      std::array<pollfd, 2> watched{
          {{watch_.number(), POLLIN, 0}, {query.writer.number(), POLLIN, 0}}};
      const std::chrono::milliseconds moment(query.until ? 500 : 100);
      TRY(sys::wait_any(watched, watch_ && !query.until ? sys::forever : moment));
      if (watch_) sys::forget_events(watch_);
    }
  }

  std::string name_;
  Fd dir_, watch_, older_, newer_;
};

}  // namespace

Result<void> read_log(const std::string& path, const LogQuery& query, const Show& show) {
  Reader reader = TRY(Reader::open(path));
  return during("the log " + path, reader.read(query, show));
}

}  // namespace umbel::console
