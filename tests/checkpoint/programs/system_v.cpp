// System V segments: with and without a key, shared by processes, attached twice, in part, in
// pieces and for reading, marked for removal, of another owner, with holes.
#include <signal.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>

#include <atomic>

#include "../program.h"

static constexpr size_t page = 4096;

static int make(key_t key, size_t size, int mode) {
  const int id = shmget(key, size, IPC_CREAT | IPC_EXCL | mode);
  must(id >= 0, "shmget");
  return id;
}
static char* attach(int id, int flags = 0) {
  void* const at = shmat(id, nullptr, flags);
  must(at != reinterpret_cast<void*>(-1), "shmat");
  return static_cast<char*>(at);
}
static shmid_ds facts(int id) {
  shmid_ds now{};
  check(shmctl(id, IPC_STAT, &now) == 0, "segment " + std::to_string(id));
  return now;
}

int main(int, char** words) {
  Program program(words[1]);
  // Of odd size, with a key, mapped by two processes, and by this one a second time for reading.
  const key_t key = 0x5500000 + getpid();
  const int named = make(key, 3 * page + 100, 0640);
  char* const shared = attach(named);
  const char* const reading = attach(named, SHM_RDONLY);
  strcpy(shared + 3 * page, "odd end");
  auto* const beats = reinterpret_cast<std::atomic<int>*>(shared);
  shmid_ds owner{};
  must(shmctl(named, IPC_STAT, &owner) == 0, "IPC_STAT");
  if (geteuid() == 0) {
    owner.shm_perm.uid = 4321;
    owner.shm_perm.gid = 1234;
    must(shmctl(named, IPC_SET, &owner) == 0, "IPC_SET");
  }
  const uid_t uid = geteuid() == 0 ? 4321 : geteuid();
  // Gone when nobody maps it any more; a hole of a megabyte.
  const int dying = make(IPC_PRIVATE, 1 << 20, 0600);
  char* const last = attach(dying);
  strcpy(last + (1 << 19), "to the last");
  must(shmctl(dying, IPC_RMID, nullptr) == 0, "IPC_RMID");
  // In pieces: the second page unmapped, the third read-only, the last moved elsewhere.
  const int torn = make(IPC_PRIVATE, 5 * page, 0600);
  char* const pieces = attach(torn);
  for (size_t i = 0; i < 5; ++i) pieces[i * page] = static_cast<char>('a' + i);
  must(munmap(pieces + page, page) == 0 && mprotect(pieces + 2 * page, page, PROT_READ) == 0,
       "pieces");
  char* const moved = static_cast<char*>(
      mremap(pieces + 4 * page, page, page, MREMAP_MAYMOVE | MREMAP_FIXED, pieces + (1 << 26)));
  must(moved != MAP_FAILED, "mremap");
  const pid_t child = fork();
  if (child == 0)
    for (;; usleep(1000)) ++beats[0];
  const auto nattch_torn = facts(torn).shm_nattch;

  const int result = program.serve([&] {
    const shmid_ds now = facts(named);
    check_equal(now.shm_perm.__key, key, "a key");
    check_equal(shmget(key, 0, 0), named, "the number of a key");
    check_equal(now.shm_segsz, 3 * page + 100, "a size");
    check_equal(now.shm_perm.mode & 07777U, 0640U, "a mode");
    check_equal(now.shm_perm.uid, uid, "an owner");
    check_equal(now.shm_perm.cuid, geteuid(), "a creator");
    check_equal(now.shm_nattch, 4U, "attachments");
    check(strcmp(reading + 3 * page, "odd end") == 0, "content");
    const int before = beats[0];
    for (int i = 0; i < 1000 && beats[0] == before; ++i) usleep(1000);
    check(beats[0] != before, "memory shared with a child");
    check(mprotect(const_cast<char*>(reading), page, PROT_READ | PROT_WRITE) != 0, "SHM_RDONLY");

    const shmid_ds end = facts(dying);
    check((end.shm_perm.mode & SHM_DEST) != 0, "the mark of removal");
    check_equal(end.shm_nattch, 2U, "attachments of a removed one");
    check(strcmp(last + (1 << 19), "to the last") == 0, "content of a removed one");

    check_equal(facts(torn).shm_nattch, nattch_torn, "attachments of pieces");
    check(pieces[0] == 'a' && pieces[2 * page] == 'c' && pieces[3 * page] == 'd' && *moved == 'e',
          "pieces");
    check(mprotect(pieces + 2 * page, page, PROT_READ | PROT_WRITE) == 0, "a piece");
    check(mprotect(pieces + 2 * page, page, PROT_READ) == 0, "a piece");
    unsigned char there = 0;
    check(mincore(pieces + page, page, &there) != 0 && errno == ENOMEM, "a gap");
  });
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  shmctl(named, IPC_RMID, nullptr);
  shmctl(torn, IPC_RMID, nullptr);
  return result;
}
