// /proc/PID/smaps says what a mapping is by its path, its access and two-letter flags
// (proc_pid_smaps(5)). Shared memory without a name in a directory (shared anonymous, memfd) shows
// with a path of its own and an inode on the kernel's internal tmpfs: the inode is its identity.
// The file behind a mapping is opened through /proc/PID/map_files, which works whatever happened to
// its path.
#include "checkpoint/memory/mappings.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>

#include "checkpoint/memory/attached.h"
#include "checkpoint/memory/chain.h"
#include "checkpoint/memory/shared.h"
#include "inspect/mapping.h"
#include "sys/file.h"

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08
#endif

namespace umbel::checkpoint {

namespace {

namespace call = remote::call;

struct Advice {
  std::string_view flag;
  std::int32_t advice;
};
constexpr std::array advices = std::to_array<Advice>({
    {"rr", MADV_RANDOM},
    {"sr", MADV_SEQUENTIAL},
    {"dc", MADV_DONTFORK},
    {"mg", MADV_MERGEABLE},
    {"hg", MADV_HUGEPAGE},
    {"nh", MADV_NOHUGEPAGE},
    {"dd", MADV_DONTDUMP},
    {"wf", MADV_WIPEONFORK},
});

bool is_kernel(const proc::Mapping& mapping) {
  return mapping.path == "[vdso]" || mapping.path.starts_with("[vvar");
}

// The first System V segment of an ipc namespace has the number 0, and that as its inode.
bool is_anonymous(const proc::Mapping& mapping) {
  return mapping.inode == 0 && !is_kernel(mapping) && !is_segment(mapping);
}

std::string where(const ProcessDump& process, const proc::Mapping& mapping) {
  return process.process->named() + ", mapping " + inspect::range_text(mapping);
}

Result<void> check(const ProcessDump& process, const proc::Mapping& mapping) {
  proc::Mapping asked = mapping;
  // Watched by the dump before this one, which is no affair of the program's.
  if (process.earlier) std::erase(asked.flags, "uw");
  if (const auto refused = inspect::refused(asked))
    return fail_with(EOPNOTSUPP,
                     where(process, mapping) + ": is " + std::string(refused->what) +
                         ", which a checkpoint can't carry",
                     std::string(refused->cure));
  return {};
}

image::Mapping plain(const proc::Mapping& mapping) {
  image::Mapping made{.start = mapping.start, .end = mapping.end, .offset = mapping.offset};
  made.protection = (mapping.read ? PROT_READ : 0U) | (mapping.write ? PROT_WRITE : 0U) |
                    (mapping.execute ? PROT_EXEC : 0U);
  made.flags = mapping.shared ? MAP_SHARED : MAP_PRIVATE;
  if (mapping.has("gd")) made.flags |= MAP_GROWSDOWN;
  if (mapping.has("nr")) made.flags |= MAP_NORESERVE;
  made.locked = mapping.has("lo");
  made.locked_on_fault = mapping.has("lf");
  made.sealed = mapping.has("sl");
  made.accounted = mapping.has("ac");
  made.protection_key = mapping.protection_key;
  for (const auto& [flag, advice] : advices)
    if (mapping.has(flag)) made.advice.push_back(advice);
  return made;
}

Result<Fd> mapped_file(const ProcessDump& process, const proc::Mapping& mapping) {
  char name[64];
  std::snprintf(name, sizeof name, "map_files/%lx-%lx", mapping.start, mapping.end);
  return sys::open(process.process->facts.dir(), name, O_PATH);
}

// PROT_WRITE may be given to a shared mapping later only if the file was opened for writing.
int open_flags(const proc::Mapping& mapping) {
  return mapping.shared && mapping.has("mw") ? O_RDWR : O_RDONLY;
}

Result<image::Mapping> describe(Dump& dump, const ProcessDump& process,
                                const proc::Mapping& mapping) {
  image::Mapping made = plain(mapping);
  if (is_kernel(mapping)) {
    made.backing = image::Backing::kernel;
    made.name = mapping.path;
    return made;
  }
  if (is_anonymous(mapping)) {
    constexpr std::string_view named = "[anon:";
    if (mapping.path.starts_with(named))
      made.name = mapping.path.substr(named.size(), mapping.path.size() - named.size() - 1);
    made.offset = 0;
    return made;
  }
  const Fd file = TRY(mapped_file(process, mapping));
  if (is_segment(mapping)) {
    made.backing = image::Backing::segment;
    made.never_writable = !mapping.has("mw");
    made.object = TRY(dump_segment(dump, process, mapping, file));
    return made;
  }
  if (is_shared_memory(mapping)) {
    made.backing = image::Backing::shared;
    made.object = TRY(dump_shared(dump, mapping, file));
    return made;
  }
  made.backing = image::Backing::file;
  made.object = TRY(dump.file_at(mapping.path, file, open_flags(mapping)));
  return made;
}

}  // namespace

image::Mapping outline(const proc::Mapping& mapping) {
  image::Mapping made = plain(mapping);
  if (is_kernel(mapping))
    made.backing = image::Backing::kernel;
  else if (!is_anonymous(mapping))
    made.backing = image::Backing::file;
  return made;
}

Result<void> dump_mappings(Dump& dump, ProcessDump& process) {
  for (const proc::Mapping& mapping : process.mappings) {
    // Not a mapping of the process: it is there for everyone.
    if (mapping.path == "[vsyscall]") continue;
    TRY(check(process, mapping));
    image::Mapping made = TRY(during(where(process, mapping), describe(dump, process, mapping)));
    process.record.memory.mappings.push_back(std::move(made));
  }
  return {};
}

// ---- restore ----

namespace {

Result<int> file_of(Inside& in, const image::Mapping& mapping) {
  if (!mapping.object) return fail("the image has a mapping of a file without the file");
  const FdRef file = mapping.backing == image::Backing::shared
                         ? TRY(restore_shared(in.restore, *mapping.object))
                         : TRY(in.restore.file(*mapping.object));
  return file.number();
}

Result<void> make(Inside& in, const image::Mapping& mapping) {
  TRY(in.session.make_room(in.batch, 2, 256));
  std::uint64_t flags = mapping.flags | MAP_FIXED_NOREPLACE;
  int file = -1;
  if (mapping.backing == image::Backing::anonymous)
    flags |= MAP_ANONYMOUS;
  else
    file = TRY(file_of(in, mapping));
  in.batch.call(call::mmap, mapping.start, mapping.size(), first_protection(mapping), flags, file,
                mapping.offset);
  return {};
}

// The pieces come all at once, the lowest address being that of the first.
Result<void> make_vdso(Inside& in) {
  constexpr int map_vdso_64 = 0x2003;
  const auto& mappings = in.process.memory.mappings;
  const auto first = std::ranges::find(mappings, image::Backing::kernel, &image::Mapping::backing);
  if (first == mappings.end()) return {};
  TRY(in.session.make_room(in.batch, 1));
  in.batch.call(call::arch_prctl, map_vdso_64, first->start);
  return {};
}

}  // namespace

Result<void> restore_mappings(Inside& in, const std::optional<Heritage>& heritage) {
  if (heritage) TRY(keep_from_parent(in, *heritage));
  const image::Memory& memory = in.process.memory;
  for (const image::Mapping& mapping : memory.mappings) {
    if (mapping.backing == image::Backing::kernel) continue;
    if (heritage && is_kept(*heritage, memory, mapping)) continue;
    TRY(mapping.backing == image::Backing::segment ? attach_segment(in, mapping)
                                                   : make(in, mapping));
  }
  return make_vdso(in);
}

Result<void> finish_mappings(Inside& in) {
  constexpr int set_vma = 0x53564d41, anonymous_name = 0, lock_on_fault = 1;
  constexpr int guard_install = 102;
  for (const image::Mapping& mapping : in.process.memory.mappings) {
    TRY(in.session.make_room(in.batch, 12, 512));
    if (was_writable(mapping))
      in.batch.call(call::mprotect, mapping.start, mapping.size(), mapping.protection);
    for (const std::int32_t advice : mapping.advice)
      in.batch.call(call::madvise, mapping.start, mapping.size(), advice);
    if (mapping.locked)
      in.batch.call(call::mlock2, mapping.start, mapping.size(),
                    mapping.locked_on_fault ? lock_on_fault : 0);
    if (mapping.protection_key != 0)
      return fail("the image has memory with a protection key, which can't be put back yet");
    if (mapping.backing == image::Backing::anonymous && !mapping.name.empty())
      in.batch.call(call::prctl, set_vma, anonymous_name, mapping.start, mapping.size(),
                    in.batch.text(mapping.name));
  }
  for (const image::GuardRange& guard : in.process.memory.guards) {
    TRY(in.session.make_room(in.batch, 1));
    in.batch.call(call::madvise, guard.start, guard.end - guard.start, guard_install);
  }
  for (const image::Mapping& mapping : in.process.memory.mappings) {
    if (!mapping.sealed || mapping.backing == image::Backing::kernel) continue;
    TRY(in.session.make_room(in.batch, 1));
    in.batch.call(call::mseal, mapping.start, mapping.size(), 0);
  }
  return {};
}

}  // namespace umbel::checkpoint
