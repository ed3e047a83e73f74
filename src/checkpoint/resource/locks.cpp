// A "lock:" line of fdinfo is shaped like one of /proc/locks (proc_locks(5)), and there only if the
// lock was taken through this open file by this process, or belongs to the open file itself. One
// that is waited for is no state: the call that waits is made again.
#include "checkpoint/resource/locks.h"

#include <fcntl.h>

#include "base/text.h"
#include "sys/lock.h"

namespace umbel::checkpoint {

namespace {

namespace call = remote::call;

struct KindName {
  std::string_view name;
  image::LockKind kind;
  LockOwner owner;
};
constexpr std::array kinds =
    std::to_array<KindName>({{"POSIX", image::LockKind::posix, LockOwner::process},
                             {"FLOCK", image::LockKind::whole, LockOwner::open_file},
                             {"OFDLCK", image::LockKind::open_file, LockOwner::open_file}});

const KindName* find(std::string_view name) {
  for (const KindName& known : kinds)
    if (known.name == name) return &known;
  return nullptr;
}

// "1: POSIX  ADVISORY  WRITE 17310 fe:00:10969137 5 14"; the end may be EOF.
Result<image::Lock> parse(const std::vector<std::string_view>& parts, image::LockKind kind) {
  constexpr std::size_t access = 3, start = 6, end = 7, count = 8;
  if (parts.size() < count) return fail("a lock of fdinfo has too few words");
  image::Lock lock{.kind = kind, .exclusive = parts[access] == "WRITE"};
  const auto from = number(parts[start]);
  if (!from) return fail("'" + std::string(parts[start]) + "' is no start of a lock");
  lock.start = *from;
  if (const auto to = number(parts[end])) lock.length = *to - lock.start + 1;
  return lock;
}

sys::LockAccess access_of(const image::Lock& lock) {
  return lock.exclusive ? sys::LockAccess::exclusive : sys::LockAccess::shared;
}

}  // namespace

Result<std::vector<image::Lock>> dump_locks(const Dump& dump, const inspect::Descriptor& descriptor,
                                            LockOwner owner) {
  constexpr std::size_t kind_word = 1;
  std::vector<image::Lock> locks;
  for (const std::string_view line : descriptor.info.all("lock")) {
    const auto parts = words(line);
    const KindName* kind = parts.size() > kind_word ? find(parts[kind_word]) : nullptr;
    if (kind == nullptr)
      return fail_with(EOPNOTSUPP, descriptor.target + " has a lease, which can't be carried",
                       "give it up before the checkpoint (F_SETLEASE with F_UNLCK)");
    if (!dump.options.file_locks)
      return fail_with(EOPNOTSUPP, descriptor.target + " is locked",
                       "give the lock up before the checkpoint, or have locks carried "
                       "(--file-locks): somebody else could take it meanwhile");
    if (kind->owner != owner) continue;
    image::Lock lock = TRY(parse(parts, kind->kind));
    locks.push_back(lock);
  }
  return locks;
}

Result<void> restore_locks(const image::File& record, FdRef file) {
  const auto take = [&](const image::Lock& lock) -> Result<void> {
    if (lock.kind == image::LockKind::whole) return sys::lock_whole(file, access_of(lock));
    return sys::lock_part(file, access_of(lock), lock.start, lock.length);
  };
  for (const image::Lock& lock : record.locks)
    TRY(advise("end whoever has the lock now", during("taking a lock again", take(lock))));
  return {};
}

Result<void> restore_locks(Inside& in) {
  for (const image::Descriptor& descriptor : in.process.descriptors)
    for (const image::Lock& lock : descriptor.locks) {
      struct flock wanted{};
      wanted.l_type = lock.exclusive ? F_WRLCK : F_RDLCK;
      wanted.l_whence = SEEK_SET;
      wanted.l_start = lock.start;
      wanted.l_len = lock.length;
      TRY(in.session.make_room(in.batch, 1, sizeof wanted + 64));
      in.batch.call(call::fcntl, descriptor.number, F_SETLK, in.batch.value(wanted));
    }
  return {};
}

}  // namespace umbel::checkpoint
