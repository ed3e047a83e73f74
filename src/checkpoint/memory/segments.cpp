// A segment outlives every process, so one that was made by a restore that then fails, or is
// killed, would stay for good. A child makes them and stays until it hears that they are wanted;
// when the line to it ends before that, it takes them away, but for those that somebody has come to
// use.
#include "checkpoint/memory/segments.h"

#include <fcntl.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "checkpoint/memory/copy.h"
#include "checkpoint/remote/session.h"
#include "sys/channel.h"
#include "sys/system_v.h"
#include "sys/wait.h"

namespace umbel::checkpoint {

namespace {

constexpr std::string_view kind_name = "system-v";
constexpr const char* elsewhere = ", or restore in an ipc namespace of its own";

std::string key_text(std::int32_t key) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "0x%08x", static_cast<unsigned>(key));
  return text.data();
}

Result<image::Segment> state_of(const image::SharedMemory& record) {
  return from_value<image::Segment>(record.state);
}

Failure number_taken(int id) {
  const std::string number = std::to_string(id);
  return fail_with(EEXIST, "there is a System V segment with the number " + number,
                   "remove it if nobody needs it (ipcrm -m " + number + ")" + elsewhere);
}

Result<void> number_is_free(int id) {
  const Result<sys::Segment> there = sys::segment(id);
  if (!there && (there.error().code == EINVAL || there.error().code == EIDRM)) return {};
  return number_taken(id);
}

Result<int> make_one(const image::SharedMemory& record, const image::Segment& wanted) {
  TRY(number_is_free(wanted.id));
  TRY(
      advise("a System V segment can't have its number again without CAP_CHECKPOINT_RESTORE and a "
             "kernel with CONFIG_CHECKPOINT_RESTORE",
             sys::set_next_segment(wanted.id)));
  Result<int> made = sys::make_segment({.key = wanted.key,
                                        .size = record.size,
                                        .mode = wanted.mode,
                                        .creator_uid = wanted.creator_uid,
                                        .creator_gid = wanted.creator_gid});
  if (!made && made.error().code == EEXIST)
    return fail_with(
        EEXIST, "there is a System V segment with the key " + key_text(wanted.key),
        "remove it if nobody needs it (ipcrm -M " + key_text(wanted.key) + ")" + elsewhere);
  return made;
}

// The number of one that has to be taken away again is in `made` even if this fails.
Result<void> make_all(std::span<const image::SharedMemory> shared, std::vector<int>& made) {
  for (const image::SharedMemory& record : shared) {
    if (!is_segment(record)) continue;
    const image::Segment wanted = TRY(state_of(record));
    const int id = TRY(make_one(record, wanted));
    made.push_back(id);
    // The place in the kernel's table is taken by a segment with another number.
    if (id != wanted.id) return number_taken(wanted.id);
    TRY(sys::change_segment(id, wanted.uid, wanted.gid, wanted.mode));
    if (wanted.locked) TRY(sys::lock_segment(id));
  }
  return {};
}

// Processes that had them attached may be just ending.
void remove_unused(const std::vector<int>& made) {
  constexpr int tries = 200;
  constexpr auto pause = std::chrono::milliseconds(10);
  for (const int id : made)
    for (int i = 0; i < tries; ++i) {
      const Result<sys::Segment> now = sys::segment(id);
      if (now && now->attached != 0) {
        sys::sleep_for(pause);
        continue;
      }
      if (now) (void)sys::remove_segment(id);
      break;
    }
}

int make_and_wait(std::span<const image::SharedMemory> shared, sys::Channel& line) {
  line.ours = Fd();
  // A signal to the whole process group must not end both.
  sigset_t all;
  ::sigfillset(&all);
  (void)sys::set_signal_mask(all);
  std::vector<int> made;
  const Result<void> outcome = make_all(shared, made);
  const std::string report =
      outcome ? std::string("made")
              : "!" + outcome.error().message() + std::string(1, '\0') + outcome.error().cure;
  const Result<void> told = sys::send(line.theirs, report);
  const Result<sys::Message> word =
      outcome && told ? sys::receive(line.theirs) : Result<sys::Message>(fail("no word"));
  if (word && !word->closed) return 0;
  remove_unused(made);
  return 1;
}

Result<void> listen_to(FdRef line) {
  const sys::Message report = TRY(sys::receive(line));
  if (report.closed) return fail("the process that makes System V segments has died");
  if (report.data == "made") return {};
  const std::size_t border = report.data.find('\0');
  return fail(report.data.substr(1, border - 1), report.data.substr(border + 1));
}

}  // namespace

bool is_segment(const image::SharedMemory& record) { return record.kind == kind_name; }

Result<image::SharedMemory> capture_segment(image::Writer& writer, int id, FdRef memory) {
  const sys::Segment now = TRY(sys::segment(id));
  const image::Segment state{.id = now.id,
                             .key = now.key,
                             .uid = now.uid,
                             .gid = now.gid,
                             .creator_uid = now.creator_uid,
                             .creator_gid = now.creator_gid,
                             .mode = now.mode,
                             .removed = now.removed,
                             .locked = now.locked};
  image::SharedMemory record{
      .size = now.size, .kind = std::string(kind_name), .state = to_value(state)};
  record.pages = TRY(copy_file_pages(writer, memory, record.size));
  return record;
}

Result<std::vector<image::SharedMemory>> capture_segments(image::Writer& writer) {
  std::vector<image::SharedMemory> captured;
  for (const int id : TRY(sys::all_segments())) {
    const Fd memory = TRY(sys::open_segment(id, O_RDONLY));
    image::SharedMemory record = TRY(capture_segment(writer, id, memory));
    captured.push_back(std::move(record));
  }
  return captured;
}

Result<Segments> Segments::make(std::span<const image::SharedMemory> shared) {
  Segments made;
  const auto concerned = [](const image::SharedMemory& record) { return is_segment(record); };
  if (std::ranges::none_of(shared, concerned)) return made;
  for (const image::SharedMemory& record : shared) {
    if (!is_segment(record)) continue;
    const image::Segment state = TRY(state_of(record));
    if (state.removed) made.to_remove_.push_back(state.id);
  }
  sys::Channel line = TRY(sys::channel());
  made.keeper_ = TRY(sys::start({}, [&]() -> int { return make_and_wait(shared, line); }));
  line.theirs = Fd();
  made.line_ = std::move(line.ours);
  TRY(listen_to(made.line_));
  return made;
}

Segments::~Segments() {
  if (!line_) return;
  line_ = Fd();
  (void)keeper_.wait();
}

Result<void> Segments::mark_removed() {
  for (const int id : to_remove_) TRY(sys::remove_segment(id));
  return {};
}

void Segments::keep() {
  if (!line_) return;
  // Should the word not reach it, what is in use stays nevertheless.
  (void)remote::persist([&] { return sys::send(line_, "keep"); });
  line_ = Fd();
  (void)keeper_.wait();
}

Result<Fd> fill_segment(const image::Reader& reader, const image::SharedMemory& record) {
  const image::Segment state = TRY(state_of(record));
  Fd memory = TRY(sys::open_segment(state.id, O_RDWR));
  TRY(fill_file_pages(reader, record.pages, memory));
  return memory;
}

}  // namespace umbel::checkpoint
