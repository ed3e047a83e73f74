// Registers, memory, the stack, floating point, the environment: nothing but a program.
#include <math.h>
#include <sys/mman.h>

#include <map>
#include <vector>

#include "../program.h"

static int initialised = 12345;
static char zeroes[1 << 20];
static const char constant[] = "a constant";

int main(int, char** words) {
  Program program(words[1]);
  const pid_t pid = getpid(), parent_was = getppid();
  (void)parent_was;
  std::map<int, std::string> tree;
  for (int i = 0; i < 1000; ++i) tree[i] = std::to_string(i * i);
  std::vector<double> numbers(10000, M_PI);
  initialised = 54321;
  zeroes[777777] = 'x';
  setenv("UMBEL_TEST", "a value", 1);
  volatile double kept = sqrt(2.0);
  int rounds = 0;
  return program.serve([&] {
    ++rounds;
    check_equal(getpid(), pid, "the pid");
    check_equal(tree.size(), 1000U, "the heap");
    for (int i = 0; i < 1000; ++i) check(tree[i] == std::to_string(i * i), "the heap");
    for (const double number : numbers) check(number == M_PI, "the heap");
    check_equal(initialised, 54321, "data");
    check_equal(static_cast<int>(zeroes[777777]), static_cast<int>('x'), "bss");
    check_equal(static_cast<int>(zeroes[777776]), 0, "bss");
    check(strcmp(constant, "a constant") == 0, "a constant");
    check(strcmp(getenv("UMBEL_TEST"), "a value") == 0, "the environment");
    check(kept == sqrt(2.0), "floating point");
    timespec now{};
    check(clock_gettime(CLOCK_MONOTONIC, &now) == 0 && now.tv_sec > 0, "the clock");
    // The heap goes on growing.
    tree[1000 + rounds] = "more";
    tree.erase(1000 + rounds);
    void* more = malloc(8 << 20);
    check(more != nullptr, "malloc");
    memset(more, 1, 8 << 20);
    free(more);
  });
}
