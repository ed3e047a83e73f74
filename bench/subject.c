/* What is checkpointed: so many threads, processes, or MiB of memory, and then nothing but waiting.
   usage: subject threads|processes|memory NUMBER; it says "ready" when all is there. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char *touched(size_t size) {
  char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) exit(1);
  for (size_t at = 0; at < size; at += 4096) memset(memory + at, (int)(at >> 12) | 1, 64);
  return memory;
}

static void *wait_for_ever(void *nothing) {
  for (;;) pause();
  return nothing;
}

static void threads(int number) {
  pthread_t thread;
  while (--number > 0)
    if (pthread_create(&thread, NULL, wait_for_ever, NULL) != 0) exit(1);
}

static void processes(int number) {
  for (int i = 1; i < number; ++i)
    if (fork() == 0) {
      touched(1 << 20);
      wait_for_ever(NULL);
    }
}

int main(int count, char **words) {
  if (count != 3) return 2;
  const int number = atoi(words[2]);
  if (strcmp(words[1], "threads") == 0) threads(number);
  else if (strcmp(words[1], "processes") == 0) processes(number);
  else touched((size_t)number << 20);
  usleep(200000);
  puts("ready");
  fflush(stdout);
  wait_for_ever(NULL);
}
