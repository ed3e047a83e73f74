// The floor under every figure of bench/start: what a container with the default OCI configuration
// costs when nothing but its kernel calls is made. No parsing, no state on disk, no filter, no
// clean code: one clone3, the mounts, the device nodes, the masks, pivot_root, execve, wait.
//
// usage: floor [--cgroups] ROOTFS PROGRAM [ARG...]
//   --cgroups  also one directory in every version 1 hierarchy, as a container with limits has
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum { most_hierarchies = 16, path_size = 512 };

struct mounting {
  const char *type, *target;
  unsigned long flags;
  const char* options;
};
static const struct mounting mountings[] = {
    {"proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
    {"tmpfs", "dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"},
    {"devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5"},
    {"tmpfs", "dev/shm", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=65536k"},
    {"mqueue", "dev/mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
    {"sysfs", "sys", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL},
};
struct node {
  const char* path;
  unsigned major, minor;
};
static const struct node nodes[] = {
    {"dev/null", 1, 3},   {"dev/zero", 1, 5},    {"dev/full", 1, 7},
    {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0},
};
static const char* const links[][2] = {
    {"dev/ptmx", "pts/ptmx"},          {"dev/fd", "/proc/self/fd"},
    {"dev/stdin", "/proc/self/fd/0"},  {"dev/stdout", "/proc/self/fd/1"},
    {"dev/stderr", "/proc/self/fd/2"},
};
static const char* const masked[] = {
    "/proc/acpi",          "/proc/kcore",      "/proc/keys",
    "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
    "/proc/sched_debug",   "/proc/scsi",       "/sys/firmware",
};
static const char* const read_only[] = {
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};
#define LENGTH(list) (sizeof(list) / sizeof(list)[0])

static void must(long answer, const char* what) {
  if (answer >= 0) return;
  fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
  _exit(125);
}

static void fill_dev(void) {
  for (size_t i = 0; i < LENGTH(nodes); ++i) {
    must(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)),
         nodes[i].path);
    must(chmod(nodes[i].path, 0666), nodes[i].path);  // what the umask took away
  }
  for (size_t i = 0; i < LENGTH(links); ++i) must(symlink(links[i][1], links[i][0]), links[i][0]);
}

static void build_root(const char* root) {
  must(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "making mounts private");
  must(mount(root, root, NULL, MS_BIND | MS_REC, NULL), root);
  must(chdir(root), root);
  for (size_t i = 0; i < LENGTH(mountings); ++i) {
    const struct mounting* m = &mountings[i];
    if (strncmp(m->target, "dev/", 4) == 0) must(mkdir(m->target, 0755), m->target);
    must(mount(m->type, m->target, m->type, m->flags, m->options), m->target);
  }
  fill_dev();
  must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  must(umount2(".", MNT_DETACH), "umount");
  must(chdir("/"), "/");
}

static void hide(void) {
  for (size_t i = 0; i < LENGTH(masked); ++i) {
    if (mount("/dev/null", masked[i], NULL, MS_BIND, NULL) == 0 || errno == ENOENT) continue;
    if (errno == ENOTDIR) must(mount("tmpfs", masked[i], "tmpfs", MS_RDONLY, NULL), masked[i]);
  }
  for (size_t i = 0; i < LENGTH(read_only); ++i) {
    const unsigned long again = MS_BIND | MS_REMOUNT | MS_RDONLY;
    if (mount(read_only[i], read_only[i], NULL, MS_BIND | MS_REC, NULL) < 0) continue;
    must(mount(NULL, read_only[i], NULL, again | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL),
         read_only[i]);
  }
  must(mount(NULL, "/", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), "making / read-only");
}

static char hierarchies[most_hierarchies][path_size];
static size_t hierarchy_count;
static int owner;  // names the directories

static void find_hierarchies(void) {
  FILE* list = fopen("/proc/self/mounts", "re");
  char path[path_size], type[64];
  if (list == NULL) must(-1, "/proc/self/mounts");
  while (hierarchy_count < most_hierarchies &&
         fscanf(list, "%*s %511s %63s %*[^\n]", path, type) == 2)
    if (strcmp(type, "cgroup") == 0) strcpy(hierarchies[hierarchy_count++], path);
  fclose(list);
  if (hierarchy_count == 0) must((errno = ENOENT, -1), "version 1 cgroup hierarchies");
}

static void in_cgroup(char* path, size_t hierarchy, const char* file) {
  snprintf(path, path_size + 64, "%.511s/floor-%d%.32s", hierarchies[hierarchy], owner, file);
}

static void write_text(const char* path, const char* text, size_t length) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  must(fd, path);
  must(write(fd, text, length), path);
  close(fd);
}

// Copies FILE of the hierarchy's root into the new directory; cpuset starts with neither CPUs nor
// memory. Absent in all other hierarchies.
static void inherit(size_t hierarchy, const char* file) {
  char path[path_size + 64], value[256];
  snprintf(path, sizeof path, "%.511s%.32s", hierarchies[hierarchy], file);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t length = read(fd, value, sizeof value);
  must(length, path);
  close(fd);
  in_cgroup(path, hierarchy, file);
  write_text(path, value, (size_t)length);
}

static void make_cgroups(void) {
  char path[path_size + 64];
  for (size_t i = 0; i < hierarchy_count; ++i) {
    in_cgroup(path, i, "");
    must(mkdir(path, 0755), path);
    inherit(i, "/cpuset.cpus");
    inherit(i, "/cpuset.mems");
  }
}

// By the thread itself and alone: to move a whole process, even oneself, or another one costs a
// grace period of RCU.
static void enter_cgroups(void) {
  char path[path_size + 64];
  for (size_t i = 0; i < hierarchy_count; ++i) {
    in_cgroup(path, i, "/tasks");
    write_text(path, "0", 1);
  }
}

static void remove_cgroups(void) {
  char path[path_size + 64];
  for (size_t i = 0; i < hierarchy_count; ++i) {
    in_cgroup(path, i, "");
    must(rmdir(path), path);
  }
}

int main(int argc, char** argv) {
  int cgroups = argc > 1 && strcmp(argv[1], "--cgroups") == 0;
  argv += 1 + cgroups;
  if (argc < 3 + cgroups) {
    fputs("usage: floor [--cgroups] ROOTFS PROGRAM [ARG...]\n", stderr);
    return 125;
  }
  owner = getpid();
  if (cgroups) {
    find_hierarchies();
    make_cgroups();
  }
  struct clone_args how = {
      .flags = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS,
      .exit_signal = SIGCHLD,
  };
  pid_t child = (pid_t)syscall(SYS_clone3, &how, sizeof how);
  must(child, "clone3");
  if (child == 0) {
    enter_cgroups();
    build_root(argv[0]);
    must(sethostname("floor", 5), "sethostname");
    hide();
    char* environment[] = {"PATH=/bin", NULL};
    execve(argv[1], argv + 1, environment);
    must(-1, argv[1]);
  }
  int status;
  must(waitpid(child, &status, 0), "wait");
  remove_cgroups();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
