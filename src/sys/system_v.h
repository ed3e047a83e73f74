// System V shared memory of the ipc namespace that the caller is in: shmget(2), shmctl(2).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

struct Segment {
  int id = 0;
  std::int32_t key = 0;  // 0, IPC_PRIVATE: nobody finds it by a key
  std::uint64_t size = 0;
  uid_t uid = 0, creator_uid = 0;
  gid_t gid = 0, creator_gid = 0;
  mode_t mode = 0;             // the nine bits of permission
  bool removed = false;        // it goes with its last mapping
  bool locked = false;         // in memory: SHM_LOCK
  std::uint64_t attached = 0;  // how many mappings there are of it
};

// EINVAL or EIDRM where there is none of that number.
Result<Segment> segment(int id);
Result<std::vector<int>> all_segments();

struct NewSegment {
  std::int32_t key = 0;
  std::uint64_t size = 0;
  mode_t mode = 0;
  uid_t creator_uid = 0;
  gid_t creator_gid = 0;
};
// EEXIST when the key is taken. Made with those effective ids, so that the creator is right; only
// for a process with one thread that has nothing else to do.
Result<int> make_segment(const NewSegment& wanted);
// The number that the next new one gets if it is free. Needs CAP_CHECKPOINT_RESTORE; ENOENT in a
// kernel without CONFIG_CHECKPOINT_RESTORE.
Result<void> set_next_segment(int id);
Result<void> change_segment(int id, uid_t uid, gid_t gid, mode_t mode);
Result<void> lock_segment(int id);
// It is gone at once if nothing is attached.
Result<void> remove_segment(int id);
// Its memory as a file. Attached for a moment, which shows in its times; needs
// CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN.
Result<Fd> open_segment(int id, int flags);

}  // namespace umbel::sys
