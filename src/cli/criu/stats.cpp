// An image file of criu's: two magic numbers, the size of the message, the message (protobuf), as
// its documentation of images describes them.
#include "cli/criu/stats.h"

#include "stats.pb-c.h"
#include "sys/file.h"

namespace umbel::cli::criu {

namespace {

constexpr std::uint32_t service_magic = 0x55105940, stats_magic = 0x57093306;

std::uint32_t microseconds(std::chrono::microseconds time) {
  return static_cast<std::uint32_t>(time.count());
}

Result<void> write(FdRef dir, const std::string& name, const Stats& stats) {
  std::string message(::stats__get_packed_size(&stats), '\0');
  ::stats__pack(&stats, reinterpret_cast<std::uint8_t*>(message.data()));
  std::string file;
  for (const std::uint32_t number :
       {service_magic, stats_magic, static_cast<std::uint32_t>(message.size())})
    file.append(reinterpret_cast<const char*>(&number), sizeof number);
  return sys::replace_file(dir, name, file + message, 0600);
}

}  // namespace

Result<void> write_statistics(FdRef dir, const checkpoint::DumpStatistics& done) {
  DumpStats dump = DUMP_STATS__INIT;
  dump.freezing_time = microseconds(done.freezing);
  dump.frozen_time = microseconds(done.frozen);
  dump.memdump_time = microseconds(done.copying);
  dump.memwrite_time = microseconds(done.writing);
  dump.pages_scanned = done.pages_scanned;
  dump.pages_skipped_parent = done.pages_in_parent;
  dump.pages_written = done.pages_written;
  Stats stats = STATS__INIT;
  stats.dump = &dump;
  return write(dir, "stats-dump", stats);
}

Result<void> write_statistics(FdRef dir, const checkpoint::RestoreStatistics& done) {
  RestoreStats restore = RESTORE_STATS__INIT;
  restore.forking_time = microseconds(done.forking);
  restore.restore_time = microseconds(done.total);
  restore.has_pages_restored = 1;
  restore.pages_restored = done.pages_restored;
  Stats stats = STATS__INIT;
  stats.restore = &restore;
  return write(dir, "stats-restore", stats);
}

}  // namespace umbel::cli::criu
