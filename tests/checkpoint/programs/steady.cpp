// What breaks when a thread does not get exactly its own state back: registers that a loop compares
// without end, calls that wait in the kernel and must not come back early, and a child.
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <atomic>

#include "../program.h"

struct Shared {
  std::atomic<int> turns, wrong;
};
static Shared* shared;

// Fills every register with a value of its own, waits a little, and compares.
static bool registers_hold(unsigned long seed, unsigned long turns) {
  alignas(32) unsigned long vectors[8] = {seed, seed + 1, seed + 2, seed + 3, 0, 0, 0, 0};
  unsigned long wrong = 0;
  asm volatile(
      "movdqa (%[v]), %%xmm7\n movdqa 16(%[v]), %%xmm15\n"
      "mov %[s], %%rbx\n lea 1(%[s]), %%r8\n lea 2(%[s]), %%r9\n lea 3(%[s]), %%r10\n"
      "lea 4(%[s]), %%r11\n lea 5(%[s]), %%r12\n lea 6(%[s]), %%r13\n lea 7(%[s]), %%r14\n"
      "lea 8(%[s]), %%r15\n lea 9(%[s]), %%rdi\n"
      "1: dec %[n]\n jnz 1b\n"
      "movdqa %%xmm7, 32(%[v])\n movdqa %%xmm15, 48(%[v])\n"
      "xor %[w], %[w]\n"
      "sub %[s], %%rbx\n or %%rbx, %[w]\n"
      "sub %[s], %%r8\n dec %%r8\n or %%r8, %[w]\n"
      "sub %[s], %%r9\n sub $2, %%r9\n or %%r9, %[w]\n"
      "sub %[s], %%r10\n sub $3, %%r10\n or %%r10, %[w]\n"
      "sub %[s], %%r11\n sub $4, %%r11\n or %%r11, %[w]\n"
      "sub %[s], %%r12\n sub $5, %%r12\n or %%r12, %[w]\n"
      "sub %[s], %%r13\n sub $6, %%r13\n or %%r13, %[w]\n"
      "sub %[s], %%r14\n sub $7, %%r14\n or %%r14, %[w]\n"
      "sub %[s], %%r15\n sub $8, %%r15\n or %%r15, %[w]\n"
      "sub %[s], %%rdi\n sub $9, %%rdi\n or %%rdi, %[w]\n"
      : [n] "+a"(turns), [w] "=&c"(wrong)
      : [s] "d"(seed), [v] "S"(vectors)
      : "rbx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rdi", "xmm7", "xmm15",
        "memory", "cc");
  return wrong == 0 && memcmp(vectors, vectors + 4, 32) == 0;
}

static void* compare(void*) {
  for (unsigned long seed = 0x1234567;; seed = seed * 6364136223846793005UL + 1) {
    if (!registers_hold(seed, 2000000)) ++shared->wrong;
    ++shared->turns;
    usleep(2000);
  }
}

// Each of these waits for hours; to come back is wrong.
static void* sleep_long(void*) {
  const timespec hours{.tv_sec = 36000, .tv_nsec = 0};
  const int code = clock_nanosleep(CLOCK_MONOTONIC, 0, &hours, nullptr);
  fprintf(stderr, "clock_nanosleep came back: %s\n", strerror(code));
  ++shared->wrong;
  return nullptr;
}
static void* poll_long(void*) {
  const int got = poll(nullptr, 0, 36000000);
  fprintf(stderr, "poll came back: %d, %s\n", got, strerror(errno));
  ++shared->wrong;
  return nullptr;
}
static void* wait_long(void*) {
  static int word = 0;
  const timespec hours{.tv_sec = 36000, .tv_nsec = 0};
  const long got = syscall(SYS_futex, &word, FUTEX_WAIT, 0, &hours, nullptr, 0);
  fprintf(stderr, "futex came back: %ld, %s\n", got, strerror(errno));
  ++shared->wrong;
  return nullptr;
}

int main(int, char** words) {
  Program program(words[1]);
  shared = static_cast<Shared*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  int line[2];
  must(shared != MAP_FAILED && pipe(line) == 0, "set-up");
  const pid_t child = fork();
  if (child == 0) {
    char byte = 0;
    const ssize_t got = read(line[0], &byte, 1);
    fprintf(stderr, "the child's read came back: %zd, %s\n", got, strerror(errno));
    ++shared->wrong;
    for (;;) pause();
  }
  pthread_t thread;
  for (auto* work : {compare, sleep_long, poll_long, wait_long})
    must(pthread_create(&thread, nullptr, work, nullptr) == 0, "a thread");
  while (shared->turns == 0) usleep(1000);
  const int result = program.serve([&] {
    const int before = shared->turns;
    for (int i = 0; i < 2000 && shared->turns < before + 2; ++i) usleep(2000);
    check(shared->turns >= before + 2, "the loop that compares registers");
    check_equal(shared->wrong.load(), 0, "the number of things that went wrong");
    check(kill(child, 0) == 0, "the child");
  });
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return result;
}
