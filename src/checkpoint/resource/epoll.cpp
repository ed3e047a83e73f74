// epoll(7). A target is a pair of a file and the number under which it was added; fdinfo shows the
// number, which may have been closed since or be another file now, and kcmp(2) tells which file it
// is. A process adds the targets itself: a file that it does not have at that number is put there
// for the moment of the call. One that is edge-triggered and ready is reported once more.
#include <sys/epoll.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "checkpoint/resource/file_kind.h"
#include "sys/readiness.h"

namespace umbel::checkpoint {

namespace {

namespace call = remote::call;

struct Target {
  std::int32_t number = 0;
  std::uint32_t events = 0;
  std::uint64_t data = 0;
  FileReference file;
};
void fields(auto& archive, Target& t) {
  archive("number", t.number);
  archive("events", t.events);
  archive("data", t.data);
  archive("file", t.file);
}

struct Epoll {
  std::vector<Target> targets;
};
void fields(auto& archive, Epoll& e) { archive("targets", e.targets); }

struct Line {
  Target target;
  std::uint64_t inode = 0;
};

// "5 events: 19 data: ffff000000000005 pos:0 ino:61af sdev:7", all but the first hexadecimal.
Result<Line> parse(std::string_view text) {
  const auto parts = words(text);
  const auto after = [&](std::string_view name) -> std::optional<std::uint64_t> {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (!parts[i].starts_with(name)) continue;
      if (parts[i].size() > name.size()) return unsigned_number(parts[i].substr(name.size()), 16);
      return i + 1 < parts.size() ? unsigned_number(parts[i + 1], 16) : std::nullopt;
    }
    return std::nullopt;
  };
  const auto tfd = parts.empty() ? std::nullopt : number(parts.front());
  const auto events = after("events:"), data = after("data:"), inode = after("ino:");
  if (!tfd || !events || !data || !inode)
    return fail("'" + std::string(text) + "' is no target of an epoll instance");
  Line line{.inode = *inode};
  line.target.number = static_cast<std::int32_t>(*tfd);
  line.target.events = static_cast<std::uint32_t>(*events);
  line.target.data = *data;
  return line;
}

Result<bool> find_in(const ProcessDump& process, const sys::EpollSlot& slot, Line& line,
                     bool (*wanted)(const inspect::Descriptor&, const Line&)) {
  for (const inspect::Descriptor& candidate : process.descriptors) {
    if (!wanted(candidate, line)) continue;
    if (!TRY(sys::watches(slot, process.process->alive(), candidate.number))) continue;
    line.target.file = {.process = process.process->inner, .number = candidate.number};
    return true;
  }
  return false;
}

// Nearly always the file is where it was added; otherwise anything of that inode is asked about.
Result<void> find_file(const FileDump& from, const sys::EpollSlot& slot, Line& line) {
  for (const auto& process : from.dump.processes) {
    if (process->process != &from.process) continue;
    if (TRY(find_in(*process, slot, line, [](const inspect::Descriptor& d, const Line& l) {
          return d.number == l.target.number;
        })))
      return {};
  }
  for (const auto& process : from.dump.processes)
    if (TRY(find_in(*process, slot, line, [](const inspect::Descriptor& d, const Line& l) {
          return d.status.st_ino == l.inode;
        })))
      return {};
  return fail_with(EOPNOTSUPP,
                   "the epoll instance watches a file, added as descriptor " +
                       std::to_string(line.target.number) +
                       ", that no process of the tree has open any more",
                   "remove it from the epoll instance (EPOLL_CTL_DEL) before closing it");
}

Result<Epoll> dump(const FileDump& from) {
  Epoll state;
  std::map<int, unsigned> turns;
  for (const std::string_view text : from.descriptor.info.all("tfd")) {
    Line line = TRY(parse(text));
    const sys::EpollSlot slot{.pid = from.process.alive(),
                              .epoll = from.descriptor.number,
                              .target = line.target.number,
                              .turn = turns[line.target.number]++};
    TRY(find_file(from, slot, line));
    state.targets.push_back(line.target);
  }
  return state;
}

Result<Fd> restore(const FileRestore&, const Epoll&) { return sys::epoll(); }

const image::Descriptor* find(const image::Process& process, int number) {
  const auto found = std::ranges::find(process.descriptors, number, &image::Descriptor::number);
  return found == process.descriptors.end() ? nullptr : &*found;
}

void add(Inside& in, int epoll, const Target& target) {
  epoll_event event{};
  event.events = target.events;
  event.data.u64 = target.data;
  in.batch.call(call::epoll_ctl, epoll, EPOLL_CTL_ADD, target.number, in.batch.value(event));
}

Result<void> inside(Inside& in, const Epoll& state, int epoll) {
  for (const Target& target : state.targets) {
    TRY(in.session.make_room(in.batch, 3, 64));
    const std::uint32_t file = TRY(in.restore.index_of(target.file));
    const image::Descriptor* there = find(in.process, target.number);
    if (there != nullptr && there->file == file) {
      add(in, epoll, target);
      continue;
    }
    const FdRef wanted = TRY(in.restore.file(file));
    in.batch.call(call::dup3, wanted.number(), target.number, 0);
    // The instance itself may be what this number has to be again.
    const int through = target.number == epoll ? TRY(in.restore.file(there->file)).number() : epoll;
    add(in, through, target);
    if (there == nullptr) {
      in.batch.call(call::close, target.number);
      continue;
    }
    const FdRef before = TRY(in.restore.file(there->file));
    in.batch.call(call::dup3, before.number(), target.number, there->close_on_exec ? O_CLOEXEC : 0);
  }
  return {};
}

Result<int> highest(const Epoll& state) {
  int number = -1;
  for (const Target& target : state.targets) number = std::max(number, target.number);
  return number;
}

}  // namespace

extern const FileKind epoll_instance =
    with_highest<Epoll, highest>(file_kind<Epoll, dump, restore, inside>(inspect::Kind::epoll));

}  // namespace umbel::checkpoint
