// Memory that processes have in common since a fork, where a child and a grandchild have written to
// some of it, dropped some, mapped some anew and taken rights away: all have what is theirs, and
// the rest is there once. The heap and file pages that were written to are shared as well.
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <atomic>

#include "../program.h"

static constexpr size_t page = 4096, pages = 4096, size = pages * page;
static constexpr size_t written = 17, dropped = 100, remapped = 200, locked = 300, zeroed = 400,
                        late = 500;

// Each process answers here what is wrong in it.
struct Answers {
  std::atomic<int> asked, told[2];
  pid_t grandchild;
  char wrong[2][256];
};

static char* memory;
static char* file_pages;

// Bytes of the memory's mappings that other processes have too, and all that are there.
static void count_shared(size_t& shared, size_t& there) {
  FILE* const file = fopen("/proc/self/smaps", "re");
  must(file != nullptr, "smaps");
  char line[4096];
  bool inside = false;
  shared = there = 0;
  while (fgets(line, sizeof line, file) != nullptr) {
    unsigned long start = 0, end = 0, kilobytes = 0;
    if (sscanf(line, "%lx-%lx ", &start, &end) == 2 && strchr(line, '-') != nullptr)
      inside = start >= reinterpret_cast<unsigned long>(memory) &&
               end <= reinterpret_cast<unsigned long>(memory) + size;
    if (!inside) continue;
    if (sscanf(line, "Shared_Clean: %lu", &kilobytes) == 1 ||
        sscanf(line, "Shared_Dirty: %lu", &kilobytes) == 1)
      shared += kilobytes << 10;
    if (sscanf(line, "Rss: %lu", &kilobytes) == 1) there += kilobytes << 10;
  }
  fclose(file);
}

static char content(size_t number) { return static_cast<char>(number % 251 + 1); }

static void check_common(char own, const std::string& who) {
  for (size_t i = 0; i < pages; ++i) {
    if (i == written || i == dropped || i == remapped || i == locked || i == zeroed || i == late)
      continue;
    if (!check(memory[i * page] == content(i) && memory[i * page + page - 1] == content(i),
               who + ", page " + std::to_string(i)))
      break;
  }
  check(memory[written * page] == own && memory[written * page + 1] == content(written),
        who + ", a page that was written to");
  check(file_pages[0] == 'F' && file_pages[1] == 'i', who + ", a written page of a file");
  size_t shared = 0, there = 0;
  count_shared(shared, there);
  check(shared > size / 10 * 9, who + ", memory in common: " + std::to_string(shared >> 10) +
                                    " of " + std::to_string(there >> 10) + " KiB");
}

static void check_child(char own) {
  check_common(own, std::string("child ") + own);
  check(memory[dropped * page] == 0, "a dropped page");
  check(memory[remapped * page] == 'n', "a page that was mapped anew");
  check(memory[zeroed * page] == 0, "a page of zeroes");
  unsigned char there = 0;
  check(mincore(memory + dropped * page, page, &there) == 0, "mincore");
}

// A child that answers as often as it is asked.
[[noreturn]] static void live(Answers& answers, int which, char own) {
  for (;; usleep(1000)) {
    if (answers.asked == answers.told[which]) continue;
    complaints().clear();
    check_child(own);
    check(memory[late * page] == (which == 0 ? content(late) : 'g'), "a page written late");
    strncpy(answers.wrong[which], complaints().c_str(), sizeof answers.wrong[which] - 1);
    ++answers.told[which];
  }
}

int main(int, char** words) {
  Program program(words[1]);
  auto* const answers = static_cast<Answers*>(
      mmap(nullptr, sizeof(Answers), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  memory = static_cast<char*>(
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  must(answers != MAP_FAILED && memory != MAP_FAILED, "mmap");
  madvise(memory, size, MADV_NOHUGEPAGE);
  for (size_t i = 0; i < pages; ++i) memset(memory + i * page, content(i), page);
  const std::string path = program.path("file");
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  must(file >= 0 && write(file, "file", 4) == 4, "a file");
  file_pages =
      static_cast<char*>(mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0));
  must(file_pages != MAP_FAILED, "mmap");
  file_pages[0] = 'F';
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    memory[written * page] = 'c';
    madvise(memory + dropped * page, page, MADV_DONTNEED);
    mmap(memory + remapped * page, page, PROT_READ | PROT_WRITE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    memory[remapped * page] = 'n';
    mprotect(memory + locked * page, page, PROT_READ);
    memset(memory + zeroed * page, 0, page);
    if ((answers->grandchild = fork()) == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      memory[written * page] = 'g';
      memory[late * page] = 'g';
      live(*answers, 1, 'g');
    }
    live(*answers, 0, 'c');
  }
  // One that keeps all of it, with a child that has nothing of it any more.
  const pid_t keeping = fork();
  if (keeping == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      execl("/bin/sleep", "sleep", "100000", nullptr);
      _exit(1);
    }
    for (;;) pause();
  }
  usleep(50000);
  memory[written * page] = 'p';

  const int result = program.serve([&] {
    check_common('p', "the parent");
    check(
        memory[dropped * page] == content(dropped) && memory[remapped * page] == content(remapped),
        "pages that only a child changed");
    ++answers->asked;
    for (int which : {0, 1}) {
      for (int i = 0; i < 5000 && answers->told[which] != answers->asked; ++i) usleep(1000);
      check(answers->told[which] == answers->asked, "an answer");
      check(answers->wrong[which][0] == 0, answers->wrong[which]);
    }
  });
  for (const pid_t pid : {child, keeping}) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  return result;
}
