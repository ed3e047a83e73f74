// The first thread has ended, others go on: the pid is that of a thread that is no more. They have
// memory, descriptors, timers, and a child that is to end with the thread that made it.
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <atomic>

#include "../program.h"

static std::atomic<int> turns{0};
static pid_t child = 0, other = 0;
static Program* program;
static int line[2];
static int watching = -1;

static char state_of(pid_t tid) {
  char path[64], name[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
  FILE* const file = fopen(path, "re");
  char state = '?';
  if (file == nullptr || fscanf(file, "%*d (%63[^)]) %c", name, &state) != 2) state = '?';
  if (file != nullptr) fclose(file);
  return state;
}

static void* turn(void*) {
  other = gettid();
  prctl(PR_SET_NAME, "turning");
  for (;; usleep(1000)) ++turns;
}

static void* serve(void*) {
  const pid_t self = gettid();
  prctl(PR_SET_NAME, "serving");
  if ((child = fork()) == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
  }
  while (state_of(getpid()) != 'Z' || other == 0) usleep(1000);
  const int result = program->serve([=] {
    check_equal(gettid(), self, "a thread's number");
    check(gettid() != getpid(), "the first thread is another");
    check(state_of(getpid()) == 'Z', "the first thread has ended");
    char name[16] = {};
    check(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "serving") == 0, "a name");
    const int before = turns;
    for (int i = 0; i < 1000 && turns == before; ++i) usleep(1000);
    check(turns != before, "another thread");
    check(syscall(SYS_tgkill, getpid(), other, 0) == 0, "its number");
    char byte = 0;
    epoll_event event{};
    check(epoll_wait(watching, &event, 1, 0) == 0, "nothing to read");
    check(write(line[1], "x", 1) == 1 && epoll_wait(watching, &event, 1, 1000) == 1 &&
              read(line[0], &byte, 1) == 1 && byte == 'x',
          "a pipe");
    check(waitpid(child, nullptr, WNOHANG) == 0, "a child");
  });
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  exit(result);
}

int main(int, char** words) {
  static Program made(words[1]);
  program = &made;
  watching = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{.events = EPOLLIN, .data = {.fd = 0}};
  must(pipe(line) == 0 && epoll_ctl(watching, EPOLL_CTL_ADD, line[0], &event) == 0, "set-up");
  pthread_t thread;
  must(pthread_create(&thread, nullptr, serve, nullptr) == 0, "a thread");
  must(pthread_create(&thread, nullptr, turn, nullptr) == 0, "a thread");
  pthread_exit(nullptr);
}
