// All records of one piece of output have the same beginning, so it is written once, and writev(2)
// puts it before each line: nothing is copied. A record is in the log as a whole or not at all:
// what a full disk has cut off is taken back, what a crash has cut off is taken back by the next
// writer. The directory is kept open, since it may be renamed with its container.
#include <fcntl.h>
#include <time.h>

#include <array>

#include "console/log.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/stream.h"

namespace umbel::console {

namespace {

// "TIME stdout F "
class Heads {
 public:
  Heads(std::int64_t now, Stream stream) {
    put_log_time(now, std::span(whole_).first<log_time_size>());
    const std::string_view rest = stream == Stream::err ? " stderr F " : " stdout F ";
    rest.copy(&whole_.at(log_time_size), rest.size());
    partial_ = whole_;
    partial_.at(size - 2) = 'P';
  }
  iovec whole() { return {whole_.data(), size}; }
  iovec partial() { return {partial_.data(), size}; }

 private:
  static constexpr std::size_t size = log_time_size + 10;
  std::array<char, size> whole_{}, partial_{};
};

// writev takes no const, and changes nothing.
iovec part(std::string_view text) {
  return {const_cast<char*>(text.data()), text.size()};
}  // NOLINT

Result<void> write_whole(FdRef file, std::span<iovec> parts) {
  while (!parts.empty()) {
    std::size_t count = TRY(sys::write_parts(file, parts));
    while (!parts.empty() && count >= parts.front().iov_len) {
      count -= parts.front().iov_len;
      parts = parts.subspan(1);
    }
    if (count == 0) continue;
    parts.front().iov_base = static_cast<char*>(parts.front().iov_base) + count;
    parts.front().iov_len -= count;
  }
  return {};
}

// Where the last whole record ends, of a file of that size.
Result<std::uint64_t> end_of_records(FdRef dir, const std::string& name, std::uint64_t size) {
  constexpr std::uint64_t longest = 4 * most_bytes;
  const Fd file = TRY(sys::open(dir, name, O_RDONLY | O_NOFOLLOW));
  const std::uint64_t from = size > longest ? size - longest : 0;
  TRY(sys::seek(file, from));
  const std::string end = TRY(sys::read_all(file, longest));
  const std::size_t last = end.rfind('\n');
  return last == std::string::npos ? from : from + last + 1;
}

}  // namespace

Result<LogWriter> LogWriter::open(const std::string& path, std::uint64_t largest) {
  LogWriter writer;
  const std::size_t slash = path.rfind('/');
  const std::string dir = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  writer.dir_ = TRY(sys::open(cwd, dir, O_PATH | O_DIRECTORY));
  writer.name_ = path.substr(slash + 1);
  writer.old_name_ = writer.name_ + ".1";
  writer.largest_ = largest;
  TRY(during("the log " + path, writer.open_file()));
  const std::uint64_t whole = TRY(end_of_records(writer.dir_, writer.name_, writer.size_));
  if (whole != writer.size_) TRY(sys::set_size(writer.file_, whole));
  writer.size_ = whole;
  return writer;
}

Result<void> LogWriter::open_file() {
  Fd file = TRY(sys::open(dir_, name_, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600));
  const struct stat found = TRY(sys::status(file));
  file_ = std::move(file);
  inode_ = found.st_ino;
  size_ = static_cast<std::uint64_t>(found.st_size);
  return {};
}

// Where that is not possible, the file just grows on.
void LogWriter::rotate() {
  if (sys::rename(dir_, name_, dir_, old_name_)) (void)open_file();
}

Result<void> LogWriter::write(Stream stream, std::string_view data) {
  if (size_ >= largest_) rotate();
  Result<void> written = append(stream, data);
  if (written) return written;
  lost_ += data.size();
  if (const auto found = sys::status(file_); found && std::cmp_greater(found->st_size, size_))
    (void)sys::set_size(file_, size_);
  return during("writing the log", std::move(written));
}

Result<void> LogWriter::append(Stream stream, std::string_view data) {
  const sys::Clock now = TRY(sys::clock_now(CLOCK_REALTIME));
  Heads heads(now.seconds * 1'000'000'000 + now.nanoseconds, stream);
  std::array<iovec, 128> parts;
  std::uint64_t added = 0;
  while (!data.empty()) {
    std::size_t used = 0;
    while (!data.empty() && used + 3 <= parts.size()) {
      const std::size_t end = data.find('\n');
      const bool whole = end != std::string_view::npos;
      const std::string_view line = data.substr(0, whole ? end + 1 : end);
      parts.at(used++) = whole ? heads.whole() : heads.partial();
      parts.at(used++) = part(line);
      if (!whole) parts.at(used++) = part("\n");
      data.remove_prefix(line.size());
    }
    const std::span<iovec> now_written = std::span(parts).first(used);
    for (const iovec& one : now_written) added += one.iov_len;
    TRY(write_whole(file_, now_written));
  }
  size_ += added;
  return {};
}

}  // namespace umbel::console
