// A tree: children and grandchildren, a session of its own, process groups, a zombie, shared memory
// and a pipe between them.
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <atomic>

#include "../program.h"

struct Shared {
  pid_t child, grandchild, daemon, zombie, killed;
  std::atomic<int> beat[3];
};

static void beat(std::atomic<int>& counter) {
  for (;;) {
    ++counter;
    usleep(1000);
  }
}

int main(int, char** words) {
  Program program(words[1]);
  auto* const shared = static_cast<Shared*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  int line[2];
  must(shared != MAP_FAILED && pipe(line) == 0, "set-up");
  const pid_t self = getpid();
  // Only the parent writes down who it is: in the child fork() answers 0.
  const pid_t child = fork();
  if (child == 0) {
    setpgid(0, 0);
    const pid_t grandchild = fork();
    if (grandchild == 0) beat(shared->beat[1]);
    shared->grandchild = grandchild;
    beat(shared->beat[0]);
  }
  const pid_t daemon = fork();
  if (daemon == 0) {
    setsid();
    beat(shared->beat[2]);
  }
  const pid_t zombie = fork();
  if (zombie == 0) _exit(23);
  const pid_t killed = fork();
  if (killed == 0) {
    raise(SIGTERM);
    _exit(0);
  }
  shared->child = child;
  shared->daemon = daemon;
  shared->zombie = zombie;
  shared->killed = killed;
  while (shared->beat[0] == 0 || shared->beat[1] == 0 || shared->beat[2] == 0) usleep(1000);
  siginfo_t info{};
  must(waitid(P_PID, static_cast<id_t>(shared->zombie), &info, WEXITED | WNOWAIT) == 0, "waitid");
  must(waitid(P_PID, static_cast<id_t>(shared->killed), &info, WEXITED | WNOWAIT) == 0, "waitid");

  const int result = program.serve([&] {
    const int before[3] = {shared->beat[0], shared->beat[1], shared->beat[2]};
    usleep(50000);
    for (int i = 0; i < 3; ++i)
      check(shared->beat[i] > before[i], "process " + std::to_string(i) + " of the tree");
    check_equal(getpgid(shared->child), shared->child, "the child's group");
    check_equal(getpgid(shared->grandchild), shared->child, "the grandchild's group");
    check_equal(getsid(shared->daemon), shared->daemon, "the daemon's session");
    check_equal(getsid(shared->child), getsid(0), "the child's session");
    check_equal(getpid(), self, "the pid");
    siginfo_t ended{};
    check(waitid(P_PID, static_cast<id_t>(shared->zombie), &ended, WEXITED | WNOWAIT) == 0 &&
              ended.si_code == CLD_EXITED && ended.si_status == 23,
          "the zombie");
    ended = {};
    check(waitid(P_PID, static_cast<id_t>(shared->killed), &ended, WEXITED | WNOWAIT) == 0 &&
              ended.si_code == CLD_KILLED && ended.si_status == SIGTERM,
          "the killed zombie");
    check(write(line[1], "x", 1) == 1, "the pipe");
    char got = 0;
    check(read(line[0], &got, 1) == 1 && got == 'x', "the pipe");
  });
  kill(shared->child, SIGKILL);
  kill(shared->grandchild, SIGKILL);
  kill(shared->daemon, SIGKILL);
  while (wait(nullptr) > 0) {
  }
  return result;
}
