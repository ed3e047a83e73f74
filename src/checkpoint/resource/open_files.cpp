// Two descriptors are the same open file when kcmp(2) says so; only those that agree in inode,
// flags and position are asked about. umbel gets a descriptor of each open file with pidfd_getfd(2)
// and reads the file's state through it. Restore goes the other way: umbel opens everything,
// processes inherit it, and each puts what it has at its numbers, so that files shared by several
// processes are shared again without a word being said about it.
#include "checkpoint/resource/open_files.h"

#include <fcntl.h>
#include <linux/kcmp.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "checkpoint/resource/external.h"
#include "checkpoint/resource/file_kind.h"
#include "checkpoint/resource/locks.h"
#include "checkpoint/resource/tcp_socket.h"
#include "checkpoint/resource/unix_socket.h"
#include "inspect/descriptors.h"
#include "sys/descriptor.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/namespace.h"
#include "sys/process.h"

namespace umbel::checkpoint {

namespace {

constexpr int settable = O_APPEND | O_ASYNC | O_DIRECT | O_NOATIME | O_NONBLOCK;

struct Reference {
  ProcessDump* process;
  const inspect::Descriptor* descriptor;
};

// What the same open file has in common; different ones may agree in it too.
using Likeness = std::tuple<inspect::Kind, dev_t, ino_t, int, std::uint64_t>;
Likeness likeness(const inspect::Descriptor& descriptor) {
  return {descriptor.kind, descriptor.status.st_dev, descriptor.status.st_ino, descriptor.flags,
          descriptor.info.number("pos").value_or(0)};
}

Result<int> order(const Reference& a, const Reference& b) {
  return sys::compare(a.process->process->alive(), b.process->process->alive(), KCMP_FILE,
                      static_cast<std::uint64_t>(a.descriptor->number),
                      static_cast<std::uint64_t>(b.descriptor->number));
}

std::string place(const Reference& at) {
  return "descriptor " + std::to_string(at.descriptor->number) + " of " +
         at.process->process->named() + " (" + at.descriptor->target + ")";
}

Result<image::FileOwner> owner_of(Dump& dump, FdRef file) {
  const sys::Owner owner = TRY(sys::owner(file));
  const int signal = TRY(sys::owner_signal(file));
  // A pid outside the tree means nothing after a restore.
  const auto inner = dump.inner(HostPid(owner.id));
  return image::FileOwner{.kind = static_cast<std::int32_t>(owner.kind),
                          .id = inner ? inner->value() : 0,
                          .signal = signal};
}

Result<image::File> dump_one(Dump& dump, const Process& process,
                             const inspect::Descriptor& descriptor, FdRef duplicate) {
  if (const auto name = external_name(dump.options, descriptor))
    return dump_external(descriptor, *name);
  const FileKind* kind = find_kind(descriptor.kind);
  if (kind == nullptr) TRY(inspect::verdict(process.facts, descriptor));
  ensure(kind != nullptr, "a kind of file is said to be carried and is not");
  image::File file{.kind = std::string(inspect::info(kind->kind).name),
                   .target = descriptor.target,
                   .flags = descriptor.flags};
  file.locks = TRY(dump_locks(dump, descriptor, LockOwner::open_file));
  file.position = static_cast<std::int64_t>(TRY(descriptor.info.number("pos")));
  file.state = TRY(
      kind->dump({.dump = dump, .process = process, .descriptor = descriptor, .file = duplicate}));
  if ((file.flags & O_PATH) == 0) {
    const image::FileOwner owner = TRY(owner_of(dump, duplicate));
    if (owner.id != 0 || owner.signal != 0) file.owner = owner;
  }
  return file;
}

Result<image::File> dump_file(Dump& dump, const Reference& at) {
  const Fd duplicate = TRY(sys::pidfd_getfd(at.process->pidfd, at.descriptor->number));
  return dump_one(dump, *at.process->process, *at.descriptor, duplicate);
}

// Every reference of `alike` gets the index of its open file.
Result<void> dump_alike(Dump& dump, std::vector<Reference>& alike) {
  Result<void> outcome;
  std::ranges::sort(alike, [&](const Reference& a, const Reference& b) {
    const Result<int> answer = order(a, b);
    if (!answer && outcome) outcome = Failure(answer.error());
    return answer && *answer < 0;
  });
  TRY(std::move(outcome));
  for (std::size_t i = 0; i < alike.size(); ++i) {
    const bool same = i > 0 && TRY(order(alike[i - 1], alike[i])) == 0;
    if (!same) {
      image::File file = TRY(during(place(alike[i]), dump_file(dump, alike[i])));
      dump.tree.files.push_back(std::move(file));
    }
    image::Descriptor made{.number = alike[i].descriptor->number,
                           .file = static_cast<std::uint32_t>(dump.tree.files.size() - 1),
                           .close_on_exec = alike[i].descriptor->close_on_exec};
    made.locks =
        TRY(during(place(alike[i]), dump_locks(dump, *alike[i].descriptor, LockOwner::process)));
    alike[i].process->record.descriptors.push_back(std::move(made));
  }
  return {};
}

}  // namespace

Result<FileReference> Dump::in_flight(const Process& process, Fd file) {
  const struct stat status = TRY(sys::status(file));
  const HostPid self = sys::own_pid();
  const auto number = static_cast<std::uint64_t>(file.number());
  for (const auto& candidate : processes)
    for (const inspect::Descriptor& descriptor : candidate->descriptors) {
      if (descriptor.status.st_ino != status.st_ino || descriptor.status.st_dev != status.st_dev)
        continue;
      const int order = TRY(sys::compare(self, candidate->process->alive(), KCMP_FILE, number,
                                         static_cast<std::uint64_t>(descriptor.number)));
      if (order == 0)
        return FileReference{.process = candidate->process->inner, .number = descriptor.number};
    }
  for (const InFlight& known : in_flight_)
    if (TRY(sys::compare(self, self, KCMP_FILE, number,
                         static_cast<std::uint64_t>(known.file.number()))) == 0)
      return FileReference{.file = known.index};
  const inspect::Process here = TRY(inspect::Process::open(self));
  const inspect::Descriptor descriptor = TRY(inspect::descriptor(here, file.number()));
  TRY(inspect::verdict(process.facts, descriptor));
  const auto index = static_cast<std::uint32_t>(tree.files.size());
  tree.files.emplace_back();
  // Known before it is dumped: it may be a socket in whose own queue it lies.
  in_flight_.push_back({std::move(file), index});
  const FdRef kept = in_flight_.back().file;
  image::File made = TRY(dump_one(*this, process, descriptor, kept));
  tree.files[index] = std::move(made);
  return FileReference{.file = index};
}

Result<void> dump_open_files(Dump& dump) {
  TRY(hold_connections(dump));
  std::map<Likeness, std::vector<Reference>> all;
  for (const auto& process : dump.processes) {
    for (const inspect::Descriptor& descriptor : process->descriptors) {
      if (!external_name(dump.options, descriptor))
        TRY(inspect::verdict(process->process->facts, descriptor));
      all[likeness(descriptor)].push_back({process.get(), &descriptor});
    }
  }
  for (auto& [like, alike] : all) TRY(dump_alike(dump, alike));
  TRY(check_unix_peers(dump));
  for (const auto& process : dump.processes)
    std::ranges::sort(process->record.descriptors, {}, &image::Descriptor::number);
  return {};
}

Result<void> dump_paths(Dump& dump, ProcessDump& process) {
  const inspect::Process& facts = process.process->facts;
  const auto file = [&](const char* name, int flags) -> Result<std::uint32_t> {
    const std::string path = TRY(facts.link(name));
    const Fd opened = TRY(sys::open(facts.dir(), name, O_PATH));
    return during(std::string(name) + " of " + process.process->named(),
                  dump.file_at(path, opened, flags));
  };
  process.record.working_directory = TRY(file("cwd", O_PATH | O_DIRECTORY));
  process.record.root = TRY(file("root", O_PATH | O_DIRECTORY));
  process.record.memory.executable = TRY(file("exe", O_RDONLY));
  return {};
}

// ---- restore ----

Result<Fd> Restore::moved_up(Fd fd) const {
  if (fd.number() >= first_number) return fd;
  return sys::duplicate_from(fd, first_number);
}

Result<FdRef> Restore::file(std::uint32_t index) {
  if (const auto found = files_.find(index); found != files_.end()) return FdRef(found->second);
  if (index >= tree.files.size()) return fail("the image names a file that it does not have");
  if (std::ranges::find(being_made_, index) != being_made_.end())
    return fail("files of the image contain each other");
  const image::File& record = tree.files[index];
  if (std::optional<Fd> given = TRY(inherited(options, record))) {
    Fd moved = TRY(moved_up(std::move(*given)));
    return FdRef(files_.emplace(index, std::move(moved)).first->second);
  }
  const FileKind* kind = find_kind(record.kind);
  if (kind == nullptr)
    return fail(
        "the image has a file of the kind '" + record.kind + "', which this umbel does not know",
        "restore it with the umbel that took it");
  being_made_.push_back(index);
  Fd file = TRY(kind->restore({.restore = *this, .file = record}, record.state));
  std::erase(being_made_, index);
  if ((record.flags & O_PATH) == 0) {
    const int now = TRY(sys::status_flags(file));
    // O_ASYNC comes when there is an owner to be told.
    const int wanted = (now & ~settable) | (record.flags & settable & ~O_ASYNC);
    if (wanted != now) TRY(sys::set_status_flags(file, wanted));
    if (record.position != 0) TRY(sys::seek(file, record.position, SEEK_SET));
  }
  Fd moved = TRY(moved_up(std::move(file)));
  return FdRef(files_.emplace(index, std::move(moved)).first->second);
}

Result<std::uint32_t> Restore::index_of(const FileReference& reference) const {
  if (reference.file) return *reference.file;
  for (const image::Process& process : tree.processes) {
    if (process.pid != reference.process) continue;
    const auto found =
        std::ranges::find(process.descriptors, reference.number, &image::Descriptor::number);
    if (found != process.descriptors.end()) return found->file;
  }
  return fail("the image speaks of an open file that it does not have");
}

std::optional<int> Restore::number_of(const std::string& key) const {
  const auto found = shared_.find(key);
  return found == shared_.end() ? std::nullopt : std::optional(found->second.number());
}

Result<HostPid> Restore::outside(std::int32_t pid) const {
  return pids ? sys::pid_in_namespace(pids, pid) : Result<HostPid>(HostPid(pid));
}

std::vector<int> Restore::numbers() const {
  std::vector<int> found;
  for (const auto& [index, file] : files_) found.push_back(file.number());
  for (const auto& [key, file] : shared_) found.push_back(file.number());
  return found;
}

void Restore::drop_shared() {
  for (const std::string& path : temporary_names_) (void)sys::remove_file(cwd, path);
  temporary_names_.clear();
  shared_.clear();
}

Result<void> Restore::do_last() {
  for (const auto& work : last_) TRY(work());
  for (const auto& work : very_last_) TRY(work());
  return {};
}

Result<Value> Restore::object(const std::string& key) const {
  const auto found = tree.objects.find(key);
  if (found == tree.objects.end())
    return fail("the image names '" + key + "' and does not have it");
  return found->second;
}

Result<FdRef> Restore::shared(const std::string& key, const std::function<Result<Fd>()>& make) {
  if (const auto found = shared_.find(key); found != shared_.end()) return FdRef(found->second);
  Fd made = TRY(make());
  Fd moved = TRY(moved_up(std::move(made)));
  return FdRef(shared_.emplace(key, std::move(moved)).first->second);
}

Result<void> restore_descriptors(Inside& in) {
  unsigned next = 0;
  for (const image::Descriptor& descriptor : in.process.descriptors) {
    const FdRef file = TRY(in.restore.file(descriptor.file));
    TRY(in.session.make_room(in.batch, 2));
    const auto number = static_cast<unsigned>(descriptor.number);
    // Whatever umbel had between the numbers that are wanted goes.
    if (number > next) in.batch.call(remote::call::close_range, next, number - 1, 0);
    in.batch.call(remote::call::dup3, file.number(), descriptor.number,
                  descriptor.close_on_exec ? O_CLOEXEC : 0);
    next = number + 1;
  }
  // The files themselves, which lie above, are needed until the end of the batch that uses them.
  if (static_cast<unsigned>(in.restore.first_number) > next)
    in.batch.call(remote::call::close_range, next, in.restore.first_number - 1, 0);
  return {};
}

namespace {

Result<void> restore_owner(const Restore& restore, const image::File& record, FdRef file) {
  if (record.owner) {
    const auto kind = static_cast<sys::Owner::Kind>(record.owner->kind);
    const HostPid id = record.owner->id == 0 ? HostPid() : TRY(restore.outside(record.owner->id));
    TRY(sys::set_owner(file, {.kind = kind, .id = id.value()}));
    TRY(sys::set_owner_signal(file, record.owner->signal));
  }
  if ((record.flags & O_ASYNC) == 0) return {};
  const int now = TRY(sys::status_flags(file));
  return sys::set_status_flags(file, now | O_ASYNC);
}

}  // namespace

Result<void> settle_files(Restore& restore) {
  const auto settle = [&](std::uint32_t index) -> Result<void> {
    const image::File& record = restore.tree.files[index];
    const FileKind* kind = find_kind(record.kind);
    if (kind == nullptr || kind->settle == nullptr || is_inherited(restore.options, record))
      return {};
    const FdRef file = TRY(restore.file(index));
    return during("settling a file of the kind " + record.kind,
                  kind->settle(restore, record.state, file));
  };
  const auto count = static_cast<std::uint32_t>(restore.tree.files.size());
  const auto watches = [&](std::uint32_t index) {
    return restore.tree.files[index].kind == inspect::info(inspect::Kind::inotify).name;
  };
  for (std::uint32_t i = 0; i < count; ++i) {
    const FdRef file = TRY(restore.file(i));
    if (!watches(i)) TRY(settle(i));
    TRY(restore_locks(restore.tree.files[i], file));
    TRY(restore_owner(restore, restore.tree.files[i], file));
  }
  // What umbel opens and closes for itself is nobody's news.
  restore.drop_shared();
  for (std::uint32_t i = 0; i < count; ++i)
    if (watches(i)) TRY(settle(i));
  return {};
}

}  // namespace umbel::checkpoint
