// Threads: their ids, names, thread-local variables, masks, alternate stacks; a mutex that is held,
// a condition that is waited for.
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <atomic>
#include <vector>

#include "../program.h"

static thread_local int local = 0;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int asked = 0, answered = 0;
static std::atomic<bool> wrong{false};

struct Known {
  int number;
  pid_t tid;
  char stack[16384];
};

static void* live(void* argument) {
  Known& known = *static_cast<Known*>(argument);
  local = known.number;
  known.tid = static_cast<pid_t>(syscall(SYS_gettid));
  char name[16];
  snprintf(name, sizeof name, "worker-%d", known.number);
  prctl(PR_SET_NAME, name);
  stack_t stack{};
  stack.ss_sp = known.stack;
  stack.ss_size = sizeof known.stack;
  sigaltstack(&stack, nullptr);
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGRTMIN + known.number);
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  pthread_mutex_lock(&mutex);
  ++answered;
  pthread_cond_broadcast(&condition);
  for (int seen = 0;;) {
    while (asked == seen) pthread_cond_wait(&condition, &mutex);
    seen = asked;
    char name_now[16] = {};
    prctl(PR_GET_NAME, name_now);
    sigset_t mask_now;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask_now);
    stack_t stack_now{};
    sigaltstack(nullptr, &stack_now);
    if (local != known.number || syscall(SYS_gettid) != known.tid || strcmp(name, name_now) != 0 ||
        sigismember(&mask_now, SIGRTMIN + known.number) != 1 ||
        sigismember(&mask_now, SIGRTMIN + known.number + 1) != 0 || stack_now.ss_sp != known.stack)
      wrong = true;
    ++answered;
    pthread_cond_broadcast(&condition);
  }
}

int main(int, char** words) {
  Program program(words[1]);
  constexpr int count = 20;
  std::vector<Known> known(count);
  pthread_t thread;
  for (int i = 0; i < count; ++i) {
    known[static_cast<size_t>(i)].number = i;
    must(pthread_create(&thread, nullptr, live, &known[static_cast<size_t>(i)]) == 0, "a thread");
  }
  pthread_mutex_lock(&mutex);
  while (answered < count) pthread_cond_wait(&condition, &mutex);
  pthread_mutex_unlock(&mutex);
  return program.serve([&] {
    pthread_mutex_lock(&mutex);
    answered = 0;
    ++asked;
    pthread_cond_broadcast(&condition);
    timespec until{};
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    while (answered < count && pthread_cond_timedwait(&condition, &mutex, &until) == 0) {
    }
    check_equal(answered, count, "the number of threads that answer");
    pthread_mutex_unlock(&mutex);
    check(!wrong, "something of a thread");
    // A new one can be made, and joined.
    pthread_t more;
    check(pthread_create(
              &more, nullptr, [](void*) -> void* { return nullptr; }, nullptr) == 0,
          "pthread_create");
    check(pthread_join(more, nullptr) == 0, "pthread_join");
  });
}
