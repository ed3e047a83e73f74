// The inode of an attached segment is its number. shmat(2) maps a whole segment only, and mappings
// of it are counted one by one: so a part, or one of several pieces with different protections, is
// attached somewhere, moved to its place, and the rest of it is unmapped. As many mappings as the
// kernel counts have to be in the tree: otherwise somebody else would go on writing to the memory.
#include "checkpoint/memory/attached.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include <algorithm>

#include "checkpoint/memory/segments.h"
#include "inspect/mapping.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/system_v.h"

namespace umbel::checkpoint {

namespace {

namespace call = remote::call;
using remote::page_up;

std::uint64_t mappings_in_tree(const Dump& dump, std::uint64_t id) {
  std::uint64_t found = 0;
  for (const auto& process : dump.processes)
    found += static_cast<std::uint64_t>(std::ranges::count_if(
        process->mappings,
        [&](const proc::Mapping& mapping) { return is_segment(mapping) && mapping.inode == id; }));
  return found;
}

// Numbers and keys mean something in one ipc namespace only.
Result<void> check_namespace(const ProcessDump& process) {
  const inspect::Process self = TRY(inspect::Process::open(sys::own_pid()));
  const std::string ours = TRY(self.link("ns/ipc")),
                    theirs = TRY(process.process->facts.link("ns/ipc"));
  if (ours == theirs) return {};
  return fail_with(EOPNOTSUPP,
                   process.process->named() +
                       " has System V shared memory of another ipc namespace than umbel's",
                   "run umbel in that namespace (nsenter --ipc)");
}

Result<image::SharedMemory> capture(Dump& dump, const ProcessDump& process,
                                    const proc::Mapping& mapping, FdRef file) {
  TRY(check_namespace(process));
  const int id = static_cast<int>(mapping.inode);
  const std::uint64_t attached = TRY(sys::segment(id)).attached,
                      known = mappings_in_tree(dump, mapping.inode);
  if (attached > known)
    return fail_with(EBUSY,
                     "System V segment " + std::to_string(id) + " is attached " +
                         std::to_string(attached - known) + " times by others than the tree",
                     "checkpoint those together with it, or end them (grep -l SYSV /proc/*/maps "
                     "finds them)");
  const Fd reading = TRY(sys::reopen(file, O_RDONLY));
  return capture_segment(dump.writer, id, reading);
}

int attach_flags(const image::Mapping& mapping) { return mapping.never_writable ? SHM_RDONLY : 0; }

// Attached anywhere, and the wanted piece of it moved.
Result<void> attach_piece(Inside& in, const image::Mapping& mapping, int id, std::uint64_t whole) {
  if (mapping.offset >= whole) return fail("a mapping lies behind the end of its segment");
  TRY(in.session.make_room(in.batch, 1));
  const remote::Call attached = in.batch.call(call::shmat, id, 0, attach_flags(mapping));
  TRY(in.session.run(in.batch));
  const std::uint64_t at = TRY(in.batch.answer(attached)), from = at + mapping.offset;
  in.batch.clear();
  const std::uint64_t there = std::min(mapping.size(), whole - mapping.offset);
  in.batch.call(call::mremap, from, there, mapping.size(), MREMAP_MAYMOVE | MREMAP_FIXED,
                mapping.start);
  if (from > at) in.batch.call(call::munmap, at, from - at);
  if (from + there < at + whole)
    in.batch.call(call::munmap, from + there, at + whole - from - there);
  return {};
}

}  // namespace

bool is_segment(const proc::Mapping& mapping) {
  return mapping.shared && mapping.major == 0 && mapping.path.starts_with("/SYSV") &&
         mapping.path.ends_with(" (deleted)");
}

Result<std::uint32_t> dump_segment(Dump& dump, const ProcessDump& process,
                                   const proc::Mapping& mapping, FdRef file) {
  const std::string key = "segment:" + std::to_string(mapping.inode);
  TRY(dump.object(key, [&]() -> Result<Value> {
    image::SharedMemory record = TRY(capture(dump, process, mapping, file));
    dump.tree.shared.push_back(std::move(record));
    return Value(static_cast<std::uint64_t>(dump.tree.shared.size() - 1));
  }));
  return from_value<std::uint32_t>(dump.tree.objects.at(key));
}

void remove_segments(const image::Tree& tree) {
  for (const image::SharedMemory& record : tree.shared) {
    if (!is_segment(record)) continue;
    const Result<image::Segment> state = from_value<image::Segment>(record.state);
    const Result<sys::Segment> now =
        state ? sys::segment(state->id) : Result<sys::Segment>(Failure(state.error()));
    if (now && now->attached == 0) (void)sys::remove_segment(now->id);
  }
}

Result<void> attach_segment(Inside& in, const image::Mapping& mapping) {
  if (!mapping.object || *mapping.object >= in.restore.tree.shared.size())
    return fail("the image has a System V mapping without its segment");
  const image::SharedMemory& record = in.restore.tree.shared[*mapping.object];
  const image::Segment state = TRY(from_value<image::Segment>(record.state));
  const std::uint64_t whole = page_up(record.size);
  TRY(in.session.make_room(in.batch, 2));
  if (mapping.offset == 0 && mapping.size() == whole)
    in.batch.call(call::shmat, state.id, mapping.start, attach_flags(mapping));
  else
    TRY(attach_piece(in, mapping, state.id, whole));
  const std::uint32_t usual = PROT_READ | (mapping.never_writable ? 0U : PROT_WRITE);
  TRY(in.session.make_room(in.batch, 1));
  if (mapping.protection != usual)
    in.batch.call(call::mprotect, mapping.start, mapping.size(), mapping.protection);
  return {};
}

}  // namespace umbel::checkpoint
