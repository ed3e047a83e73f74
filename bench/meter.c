// Runs commands in turn, A B C A B C ..., and prints a line for each run: the command's number,
// wall microseconds from fork to reaping, user and system microseconds, peak kilobytes, exit
// status. A small static program of its own: a child's peak memory starts at that of whoever forked
// it, and an interpreter's is larger than what is to be measured.
//
// usage: meter ROUNDS ::: COMMAND [ARG...] [::: COMMAND [ARG...]]...
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { most_commands = 32 };

static long microseconds(struct timeval t) { return t.tv_sec * 1000000L + t.tv_usec; }

static long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

// `errors` stays open for what goes wrong; the output of what is measured goes nowhere.
static void run(int number, char** command, int null) {
  const long begin = now();
  pid_t child = vfork();
  if (child == 0) {
    dup2(null, 0);
    dup2(null, 1);
    execvp(command[0], command);
    _exit(127);
  }
  int status = 0;
  struct rusage used;
  if (child < 0 || wait4(child, &status, 0, &used) < 0) {
    perror("meter");
    exit(125);
  }
  const long end = now();
  printf("%d %ld %ld %ld %ld %d\n", number, end - begin, microseconds(used.ru_utime),
         microseconds(used.ru_stime), used.ru_maxrss,
         WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int main(int argc, char** argv) {
  char** commands[most_commands];
  int count = 0;
  for (int i = 2; i < argc; ++i) {
    if (strcmp(argv[i], ":::") != 0 || count == most_commands) continue;
    argv[i] = NULL;  // ends the command before
    if (i + 1 < argc) commands[count++] = &argv[i + 1];
  }
  const int rounds = argc > 1 ? atoi(argv[1]) : 0;
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (rounds <= 0 || count == 0 || null < 0) {
    fputs("usage: meter ROUNDS ::: COMMAND [ARG...] [::: COMMAND [ARG...]]...\n", stderr);
    return 125;
  }
  for (int round = 0; round < rounds; ++round)
    for (int i = 0; i < count; ++i) run(i, commands[i], null);
  return 0;
}
