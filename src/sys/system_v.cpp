// shmget(2) takes no number, but the kernel gives the next new segment the one that was written to
// /proc/sys/kernel/shm_next_id. A creator can't be changed later, so whoever makes a segment has to
// be that user in that moment. An attached segment is a mapping of a tmpfs file, which
// /proc/self/map_files gives a descriptor of.
#include "sys/system_v.h"

#include <fcntl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "sys/call.h"
#include "sys/file.h"

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif

namespace umbel::sys {

namespace {

constexpr mode_t permissions = 0777;

std::string text(int id) { return std::to_string(id); }

Result<void> become(uid_t uid, gid_t gid) {
  constexpr auto same = static_cast<unsigned>(-1);
  // The group first on the way there, and last on the way back.
  if (uid != 0) TRY(checked(::syscall(SYS_setresgid, same, gid, same), "setresgid"));
  TRY(checked(::syscall(SYS_setresuid, same, uid, same), "setresuid"));
  if (uid == 0) TRY(checked(::syscall(SYS_setresgid, same, gid, same), "setresgid"));
  return {};
}

}  // namespace

Result<Segment> segment(int id) {
  shmid_ds now{};
  TRY(checked(::shmctl(id, IPC_STAT, &now), "shmctl IPC_STAT", text(id)));
  return Segment{.id = id,
                 .key = now.shm_perm.__key,
                 .size = now.shm_segsz,
                 .uid = now.shm_perm.uid,
                 .creator_uid = now.shm_perm.cuid,
                 .gid = now.shm_perm.gid,
                 .creator_gid = now.shm_perm.cgid,
                 .mode = now.shm_perm.mode & permissions,
                 .removed = (now.shm_perm.mode & SHM_DEST) != 0,
                 .locked = (now.shm_perm.mode & SHM_LOCKED) != 0,
                 .attached = now.shm_nattch};
}

Result<std::vector<int>> all_segments() {
  shmid_ds now{};
  const int highest = TRY(checked_int(::shmctl(0, SHM_INFO, &now), "shmctl SHM_INFO"));
  std::vector<int> found;
  for (int index = 0; index <= highest; ++index)
    if (const int id = ::shmctl(index, SHM_STAT_ANY, &now); id >= 0) found.push_back(id);
  return found;
}

Result<int> make_segment(const NewSegment& wanted) {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  const bool other = uid != wanted.creator_uid || gid != wanted.creator_gid;
  if (other) TRY(become(wanted.creator_uid, wanted.creator_gid));
  const Result<int> made = checked_int(
      ::shmget(wanted.key, wanted.size, IPC_CREAT | IPC_EXCL | static_cast<int>(wanted.mode)),
      "shmget");
  if (other) TRY(become(uid, gid));
  return made;
}

Result<void> set_next_segment(int id) {
  return write_file(cwd, "/proc/sys/kernel/shm_next_id", text(id));
}

Result<void> change_segment(int id, uid_t uid, gid_t gid, mode_t mode) {
  shmid_ds wanted{};
  wanted.shm_perm.uid = uid;
  wanted.shm_perm.gid = gid;
  wanted.shm_perm.mode = static_cast<decltype(wanted.shm_perm.mode)>(mode);
  return checked(::shmctl(id, IPC_SET, &wanted), "shmctl IPC_SET", text(id));
}

Result<void> lock_segment(int id) {
  return checked(::shmctl(id, SHM_LOCK, nullptr), "shmctl SHM_LOCK", text(id));
}

Result<void> remove_segment(int id) {
  return checked(::shmctl(id, IPC_RMID, nullptr), "shmctl IPC_RMID", text(id));
}

Result<Fd> open_segment(int id, int flags) {
  const std::uint64_t size = TRY(segment(id)).size;
  constexpr std::uint64_t page = 4096;
  const bool writing = (flags & O_ACCMODE) != O_RDONLY;
  void* const at = ::shmat(id, nullptr, writing ? 0 : SHM_RDONLY);
  if (at == reinterpret_cast<void*>(-1)) return Failure(last_error("shmat", text(id)));
  const auto start = reinterpret_cast<std::uintptr_t>(at);
  char path[96];
  std::snprintf(path, sizeof path, "/proc/self/map_files/%lx-%lx", start,
                start + (size + page - 1) / page * page);
  Result<Fd> file = open(cwd, path, flags);
  (void)::shmdt(at);
  return file;
}

}  // namespace umbel::sys
