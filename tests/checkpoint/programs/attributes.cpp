// What a process is to the kernel: names, limits, scheduling, prctl states.
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../program.h"

static std::string file(const char* path) {
  std::string text(65536, '\0');
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t total = 0, got;
  while ((got = read(fd, text.data() + total, text.size() - static_cast<size_t>(total))) > 0)
    total += got;
  close(fd);
  text.resize(static_cast<size_t>(total));
  return text;
}

static std::string link(const char* path) {
  char target[4096] = {};
  const ssize_t length = readlink(path, target, sizeof target - 1);
  return length < 0 ? "?" : target;
}

// Lines of /proc/self/status that have to stay.
static std::string status() {
  std::string kept;
  for (const char* key :
       {"Name:", "Umask:", "Uid:", "Gid:", "Groups:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:",
        "CapAmb:", "NoNewPrivs:", "Seccomp:", "Cpus_allowed:", "THP_enabled:"}) {
    const std::string text = file("/proc/self/status");
    const size_t at = text.find(std::string("\n") + key);
    const size_t from = at == std::string::npos ? 0 : at;
    kept += text.substr(from, text.find('\n', from + 1) - from);
  }
  return kept;
}

int main(int, char** words) {
  Program program(words[1]);
  prctl(PR_SET_NAME, "a (b) c");
  prctl(PR_SET_PDEATHSIG, SIGWINCH);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_TIMERSLACK, 123456);
  setpriority(PRIO_PROCESS, 0, 5);
  const rlimit files{.rlim_cur = 777, .rlim_max = 999};
  must(setrlimit(RLIMIT_NOFILE, &files) == 0, "setrlimit");
  const rlimit core{.rlim_cur = 0, .rlim_max = 4096};
  setrlimit(RLIMIT_CORE, &core);
  const sched_param batch{};
  sched_setscheduler(0, SCHED_BATCH, &batch);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  sched_setaffinity(0, sizeof one, &one);
  int adjust = open("/proc/self/oom_score_adj", O_WRONLY);
  must(write(adjust, "100", 3) == 3, "oom_score_adj");
  close(adjust);
  const std::string command = file("/proc/self/cmdline"), environment = file("/proc/self/environ"),
                    executable = link("/proc/self/exe"), auxiliary = file("/proc/self/auxv"),
                    limits = file("/proc/self/limits"), were = status();
  const int dumpable = prctl(PR_GET_DUMPABLE);
  return program.serve([&] {
    char name[16] = {};
    prctl(PR_GET_NAME, name);
    check(strcmp(name, "a (b) c") == 0, "the name");
    int value = 0;
    check(prctl(PR_GET_PDEATHSIG, &value) == 0 && value == SIGWINCH, "the parent death signal");
    check(prctl(PR_GET_CHILD_SUBREAPER, &value) == 0 && value == 1, "being a subreaper");
    check_equal(prctl(PR_GET_TIMERSLACK), 123456, "timer slack");
    check_equal(getpriority(PRIO_PROCESS, 0), 5, "the nice value");
    check_equal(sched_getscheduler(0), SCHED_BATCH, "the scheduling policy");
    check_equal(prctl(PR_GET_DUMPABLE), dumpable, "being dumpable");
    check(file("/proc/self/cmdline") == command, "the command line");
    check(file("/proc/self/environ") == environment, "the environment");
    check(link("/proc/self/exe") == executable, "the executable");
    check(file("/proc/self/auxv") == auxiliary, "the auxiliary vector");
    check(file("/proc/self/limits") == limits, "limits");
    check(file("/proc/self/oom_score_adj") == "100\n", "oom_score_adj");
    check(status() == were, "status: " + status() + " instead of " + were);
  });
}
