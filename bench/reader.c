// Reads what a verdict reads in /proc, and nothing else: what the same facts cost without umbel.
// usage: reader PID...     the processes that are looked at in full; all others for their links
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char buffer[1 << 20];

static void read_at(int dir, const char* name) {
  int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  while (read(fd, buffer, sizeof buffer) > 0) continue;
  close(fd);
}

static int is_number(const char* name) { return name[0] >= '0' && name[0] <= '9'; }

// Each descriptor's link; in full also what it is and its details.
static void descriptors(int process, int in_full) {
  int dir = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* list = dir < 0 ? NULL : fdopendir(dir);
  if (!list) return;
  for (struct dirent* entry; (entry = readdir(list));) {
    char name[64];
    struct stat status;
    if (!is_number(entry->d_name)) continue;
    snprintf(name, sizeof name, "fd/%.32s", entry->d_name);
    if (readlinkat(process, name, buffer, 4096) < 0) continue;
    if (!in_full) continue;
    fstatat(process, name, &status, 0);
    snprintf(name, sizeof name, "fdinfo/%.32s", entry->d_name);
    read_at(process, name);
  }
  closedir(list);
}

static void namespaces(int process) {
  static const char* const kinds[] = {"ns/user", "ns/mnt", "ns/pid",    "ns/net",
                                      "ns/ipc",  "ns/uts", "ns/cgroup", "ns/time"};
  struct stat status;
  for (int i = 0; i < 8; ++i) fstatat(process, kinds[i], &status, 0);
}

static int has(int count, char** pids, const char* pid) {
  for (int i = 1; i < count; ++i)
    if (!strcmp(pids[i], pid)) return 1;
  return 0;
}

int main(int count, char** pids) {
  int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* list = proc < 0 ? NULL : fdopendir(proc);
  if (!list) return 1;
  int first = 1;
  for (struct dirent* entry; (entry = readdir(list));) {
    if (!is_number(entry->d_name)) continue;
    int process = openat(proc, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (process < 0) continue;
    int in_full = has(count, pids, entry->d_name);
    read_at(process, "stat");
    read_at(process, "cgroup");
    namespaces(process);
    descriptors(process, in_full);
    if (!in_full) read_at(process, "maps");
    if (in_full) {
      read_at(process, "status");
      read_at(process, "smaps");
      if (first) {
        read_at(process, "mountinfo");
        read_at(process, "net/dev");
      }
      first = 0;
    }
    close(process);
  }
  read_at(proc, "self/mountinfo");
  read_at(proc, "locks");
  closedir(list);
  return 0;
}
