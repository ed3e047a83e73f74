// inotify(7). fdinfo names each watch by its number, the device and inode that it is on, and a file
// handle, which leads back to a path where the file system can decode it; where it can't, the path
// is looked for, first where the tree has files open, then below the mount point. Watches are the
// last thing made of all files, so that they see nothing of the restore. Events that nobody has
// read yet can't be read without taking them away, nor put back.
#include <sys/inotify.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <deque>

#include "base/text.h"
#include "checkpoint/resource/file_kind.h"
#include "inspect/descriptors.h"
#include "proc/mountinfo.h"
#include "sys/descriptor.h"
#include "sys/file.h"
#include "sys/inode.h"
#include "sys/procfs.h"
#include "sys/watch.h"

namespace umbel::checkpoint {

namespace {

constexpr std::uint32_t settable = IN_ALL_EVENTS | IN_EXCL_UNLINK | IN_ONESHOT;

struct Watch {
  std::int32_t number = 0;
  std::uint32_t events = 0;
  std::string path;
};
void fields(auto& archive, Watch& w) {
  archive("number", w.number);
  archive("events", w.events);
  archive("path", w.path);
}

struct Watches {
  std::vector<Watch> watches;
};
void fields(auto& archive, Watches& w) { archive("watches", w.watches); }

struct Line {
  Watch watch;
  sys::Identity watched;
  sys::Handle handle;
};

// The kernel's own numbering: 12 bits of major above 20 of minor.
dev_t device_of(std::uint64_t kernel) {
  constexpr int minor_bits = 20;
  return makedev(static_cast<unsigned>(kernel >> minor_bits),
                 static_cast<unsigned>(kernel & ((1U << minor_bits) - 1)));
}

std::vector<std::uint8_t> bytes_of(std::string_view hex) {
  constexpr int base = 16;
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(unsigned_number(hex.substr(i, 2), base).value_or(0)));
  return bytes;
}

// "inotify wd:2 ino:a76015 sdev:fe00000 mask:fff ignored_mask:0 fhandle-bytes:8 fhandle-type:1
// f_handle:1560a7003505be60"
Result<Line> parse(std::string_view text) {
  Line line;
  bool has_number = false, has_inode = false;
  for (const std::string_view word : words(text)) {
    const auto halves = cut(word, ':');
    if (!halves) continue;
    constexpr int base = 16;
    const std::uint64_t value = unsigned_number(halves->after, base).value_or(0);
    if (halves->before == "wd") {
      line.watch.number = static_cast<std::int32_t>(value);
      has_number = true;
    } else if (halves->before == "ino") {
      line.watched.inode = value;
      has_inode = true;
    } else if (halves->before == "sdev") {
      line.watched.device = device_of(value);
    } else if (halves->before == "mask") {
      line.watch.events = static_cast<std::uint32_t>(value) & settable;
    } else if (halves->before == "fhandle-type") {
      line.handle.type = static_cast<int>(value);
    } else if (halves->before == "f_handle") {
      line.handle.bytes = bytes_of(halves->after);
    }
  }
  if (!has_number || !has_inode) return fail("'" + std::string(text) + "' is no watch");
  return line;
}

bool is_there(const std::string& path, const sys::Identity& wanted) {
  const Result<struct stat> status = sys::status_at(cwd, path);
  return status && status->st_dev == wanted.device && status->st_ino == wanted.inode;
}

std::optional<std::string> by_handle(const std::string& mount_point, const Line& line) {
  if (line.handle.bytes.empty()) return std::nullopt;
  const Result<Fd> mount = sys::open(cwd, mount_point, O_RDONLY | O_DIRECTORY);
  if (!mount) return std::nullopt;
  const Result<Fd> file = sys::open_handle(*mount, line.handle, O_PATH);
  if (!file) return std::nullopt;
  const Result<std::string> path = sys::path_of(*file);
  if (!path || !is_there(*path, line.watched)) return std::nullopt;
  return *path;
}

// What the tree has open, and the directories above.
std::optional<std::string> among_open_files(const Dump& dump, const Line& line) {
  for (const auto& process : dump.processes)
    for (const inspect::Descriptor& descriptor : process->descriptors) {
      std::string path = descriptor.target;
      while (path.starts_with('/') && path.size() > 1) {
        if (is_there(path, line.watched)) return path;
        path.resize(path.rfind('/'));
      }
    }
  return std::nullopt;
}

// Breadth first, on this file system only.
std::optional<std::string> by_search(const std::string& top, const Line& line) {
  constexpr int at_most = 50000;
  std::deque<std::string> left{top == "/" ? "" : top};
  for (int looked = 0; !left.empty() && looked < at_most;) {
    const std::string dir = std::move(left.front());
    left.pop_front();
    const Result<std::vector<std::string>> names = sys::list(cwd, dir.empty() ? "/" : dir);
    if (!names) continue;
    for (const std::string& name : *names) {
      ++looked;
      std::string path = dir;
      path.append("/").append(name);
      const Result<struct stat> status = sys::status_at(cwd, path);
      if (!status || status->st_dev != line.watched.device) continue;
      if (status->st_ino == line.watched.inode) return path;
      if (S_ISDIR(status->st_mode)) left.push_back(path);
    }
  }
  return std::nullopt;
}

Result<std::string> find_path(const FileDump& from, const Line& line) {
  const std::string text = TRY(sys::read_file(cwd, sys::proc_path("self/mountinfo")));
  const std::vector<proc::Mount> all = TRY(proc::parse_mounts(text));
  std::vector<proc::Mount> mounts;
  for (const proc::Mount& mount : all)
    if (makedev(mount.major, mount.minor) == line.watched.device && !proc::hidden(mount, all))
      mounts.push_back(mount);
  for (const proc::Mount& mount : mounts)
    if (is_there(mount.point, line.watched)) return mount.point;
  for (const proc::Mount& mount : mounts)
    if (auto found = by_handle(mount.point, line)) return *found;
  if (auto found = among_open_files(from.dump, line)) return *found;
  for (const proc::Mount& mount : mounts)
    if (auto found = by_search(mount.point, line)) return *found;
  return fail_with(EOPNOTSUPP,
                   "inotify watch " + std::to_string(line.watch.number) +
                       " is on a file whose path can't be found (inode " +
                       std::to_string(line.watched.inode) + ")",
                   "remove the watch before the checkpoint, or don't delete what it watches");
}

Result<Watches> dump(const FileDump& from) {
  TRY(inspect::unread(from.descriptor.kind, from.file));
  Watches state;
  for (const std::string& text : from.descriptor.info.loose()) {
    if (!text.starts_with("inotify ")) continue;
    Line line = TRY(parse(text));
    line.watch.path = TRY(find_path(from, line));
    state.watches.push_back(std::move(line.watch));
  }
  std::ranges::sort(state.watches, {}, &Watch::number);
  return state;
}

Result<Fd> restore(const FileRestore&, const Watches&) { return sys::watches(); }

Result<void> add(FdRef watches, const Watch& watch) {
  const Fd file = TRY(sys::open(cwd, watch.path, O_PATH | O_NOFOLLOW));
  TRY(sys::set_next_watch(watches, watch.number));
  const int got = TRY(sys::add_watch(watches, file, watch.events));
  if (got == watch.number) return {};
  return fail("it got number " + std::to_string(got) + " instead of " +
              std::to_string(watch.number));
}

Result<void> settle(Restore&, const Watches& state, FdRef watches) {
  for (const Watch& watch : state.watches)
    TRY(during("watching " + watch.path, add(watches, watch)));
  return {};
}

}  // namespace

extern const FileKind watches =
    with_settle<Watches, settle>(file_kind<Watches, dump, restore>(inspect::Kind::inotify));

}  // namespace umbel::checkpoint
