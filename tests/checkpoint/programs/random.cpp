// A random combination of what a process can have, from the seed in UMBEL_SEED: each thing that is
// made leaves behind how to check it.
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <random>
#include <utility>
#include <vector>

#include "../program.h"

using Random = std::mt19937_64;
static std::vector<std::function<void()>> checks;
static std::vector<pid_t> children;
static Program* program;

static size_t below(Random& random, size_t limit) { return random() % limit; }

static std::string bytes(Random& random, size_t size) {
  std::string made(size, '\0');
  for (char& byte : made) byte = static_cast<char>(random());
  return made;
}

static void mapping(Random& random) {
  const size_t pages = 1 + below(random, 600), size = pages * 4096;
  const bool shared = below(random, 4) == 0;
  char* const at =
      static_cast<char*>(mmap(nullptr, size, PROT_READ | PROT_WRITE,
                              (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1, 0));
  must(at != MAP_FAILED, "mmap");
  std::vector<std::pair<size_t, std::string>> content;
  for (size_t page = 0; page < pages; page += 1 + below(random, 9)) {
    content.emplace_back(page * 4096 + below(random, 4000), bytes(random, 1 + below(random, 90)));
    memcpy(at + content.back().first, content.back().second.data(), content.back().second.size());
  }
  if (below(random, 5) == 0) madvise(at, size, MADV_DONTDUMP);
  if (below(random, 5) == 0) madvise(at, size, MADV_HUGEPAGE);
  // A hole in the middle makes two mappings of it. A later one may fill it.
  const size_t hole = below(random, pages) * 4096;
  const bool has_hole = below(random, 3) == 0 && pages > 4;
  if (has_hole) munmap(at + hole, 4096);
  const int protection = below(random, 3) == 0 ? PROT_READ : PROT_READ | PROT_WRITE;
  mprotect(at, has_hole ? hole : size, protection);
  checks.push_back([=] {
    for (const auto& [offset, wanted] : content) {
      if (has_hole && offset + wanted.size() > hole && offset < hole + 4096) continue;
      check(memcmp(at + offset, wanted.data(), wanted.size()) == 0, "a mapping");
    }
  });
}

static void file(Random& random) {
  static int count = 0;
  const std::string name = program->path("file-" + std::to_string(count++));
  const int fd = open(name.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const std::string content = bytes(random, 1 + below(random, 20000));
  must(fd >= 0 && write(fd, content.data(), content.size()) > 0, "a file");
  const auto offset = static_cast<off_t>(below(random, content.size()));
  lseek(fd, offset, SEEK_SET);
  const bool deleted = below(random, 3) == 0;
  if (deleted) unlink(name.c_str());
  const int twin = below(random, 2) == 0 ? dup(fd) : -1;
  char* mapped = nullptr;
  if (below(random, 2) == 0) {
    mapped = static_cast<char*>(
        mmap(nullptr, content.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
    must(mapped != MAP_FAILED, "mmap of a file");
    mapped[content.size() / 2] ^= 1;
  }
  checks.push_back([=] {
    check_equal(lseek(fd, 0, SEEK_CUR), offset, "an offset");
    if (twin >= 0) {
      lseek(fd, offset + 1, SEEK_SET);
      check_equal(lseek(twin, 0, SEEK_CUR), offset + 1, "an offset that is shared");
      lseek(fd, offset, SEEK_SET);
    }
    std::string now(content.size(), '\0');
    check(
        pread(fd, now.data(), now.size(), 0) == static_cast<ssize_t>(now.size()) && now == content,
        "a file");
    struct stat status{};
    check(fstat(fd, &status) == 0 && status.st_nlink == (deleted ? 0 : 1), "the name of a file");
    if (mapped != nullptr) {
      now[content.size() / 2] ^= 1;
      check(memcmp(mapped, now.data(), now.size()) == 0, "a mapped file");
    }
  });
}

static void pipe_line(Random& random) {
  int ends[2];
  must(pipe2(ends, below(random, 2) == 0 ? O_CLOEXEC : O_NONBLOCK) == 0, "pipe");
  const std::string content = bytes(random, 1 + below(random, 40000));
  must(write(ends[1], content.data(), content.size()) == static_cast<ssize_t>(content.size()),
       "a pipe");
  checks.push_back([=] {
    std::string now(content.size(), '\0');
    size_t got = 0;
    while (got < now.size()) {
      const ssize_t more = read(ends[0], now.data() + got, now.size() - got);
      if (more <= 0) break;
      got += static_cast<size_t>(more);
    }
    check(got == now.size() && now == content, "the content of a pipe");
    check(write(ends[1], content.data(), content.size()) > 0, "a pipe");
  });
}

static void counter(Random& random) {
  const unsigned long count = below(random, 1000) + 1;
  const int fd = eventfd(0, EFD_NONBLOCK | (below(random, 2) == 0 ? EFD_SEMAPHORE : 0));
  must(eventfd_write(fd, count) == 0, "eventfd");
  checks.push_back([=] {
    unsigned long total = 0;
    for (eventfd_t got = 0; eventfd_read(fd, &got) == 0;) total += got;
    check_equal(total, count, "an eventfd");
    eventfd_write(fd, count);
  });
}

static void signals(Random& random) {
  const int number = SIGRTMIN + 1 + static_cast<int>(below(random, 20));
  // What an earlier one of the number has queued stays as it is.
  static bool used[65];
  if (used[number]) return;
  used[number] = true;
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, number);
  sigprocmask(SIG_BLOCK, &one, nullptr);
  const int count = 1 + static_cast<int>(below(random, 4));
  const timespec at_once{};
  const auto send = [=] {
    for (int i = 0; i < count; ++i) sigqueue(getpid(), number, {.sival_int = i});
  };
  send();
  checks.push_back([=] {
    for (int i = 0; i < count; ++i) {
      siginfo_t info{};
      check(sigtimedwait(&one, &info, &at_once) == number && info.si_value.sival_int == i,
            "a queued signal");
    }
    check(sigtimedwait(&one, nullptr, &at_once) < 0, "no more signals");
    send();
  });
}

static void child(Random& random) {
  auto* const beat = static_cast<std::atomic<int>*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const int how = static_cast<int>(below(random, 4));
  const int code = static_cast<int>(below(random, 200));
  const pid_t pid = fork();
  if (pid == 0) {
    if (how == 0) _exit(code);
    if (how == 1) setsid();
    if (how == 2) setpgid(0, 0);
    for (;;) {
      ++*beat;
      usleep(1000);
    }
  }
  children.push_back(pid);
  siginfo_t info{};
  if (how == 0) waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
  while (how != 0 && *beat == 0) usleep(500);
  checks.push_back([=] {
    if (how == 0) {
      siginfo_t ended{};
      check(waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOWAIT | WNOHANG) == 0 &&
                ended.si_status == code,
            "a zombie");
      return;
    }
    const int before = *beat;
    for (int i = 0; i < 1000 && *beat == before; ++i) usleep(1000);
    check(*beat != before, "a child");
    check_equal(getsid(pid) == pid, how == 1, "the session of a child");
    check_equal(getpgid(pid) == pid, how == 1 || how == 2, "the group of a child");
  });
}

struct Turning {
  std::atomic<int> turns{0};
  std::string name;
  std::atomic<bool> wrong{false};
};
static void thread(Random& random) {
  auto* const state = new Turning;
  state->name = "t-" + std::to_string(below(random, 100000));
  pthread_t made;
  must(pthread_create(
           &made, nullptr,
           [](void* argument) -> void* {
             auto& mine = *static_cast<Turning*>(argument);
             prctl(PR_SET_NAME, mine.name.c_str());
             for (;; ++mine.turns) {
               char name[16] = {};
               prctl(PR_GET_NAME, name);
               if (mine.name != name) mine.wrong = true;
               usleep(1000);
             }
           },
           state) == 0,
       "pthread_create");
  while (state->turns == 0) usleep(500);
  checks.push_back([=] {
    const int before = state->turns;
    for (int i = 0; i < 1000 && state->turns == before; ++i) usleep(1000);
    check(state->turns != before && !state->wrong, "a thread");
  });
}

static void limits(Random& random) {
  // Of the process as a whole: the last would win.
  static bool done = false;
  if (std::exchange(done, true)) return;
  const rlimit wanted{.rlim_cur = 200 + below(random, 300), .rlim_max = 1000};
  setrlimit(RLIMIT_NOFILE, &wanted);
  const auto nice_value = static_cast<int>(below(random, 10));
  setpriority(PRIO_PROCESS, 0, nice_value);
  const mode_t mask = static_cast<mode_t>(below(random, 64));
  umask(mask);
  rlimit is{};
  getrlimit(RLIMIT_NOFILE, &is);
  const int nice_now = getpriority(PRIO_PROCESS, 0);
  checks.push_back([=] {
    rlimit now{};
    getrlimit(RLIMIT_NOFILE, &now);
    check_equal(now.rlim_cur, is.rlim_cur, "a limit");
    check_equal(getpriority(PRIO_PROCESS, 0), nice_now, "the nice value");
    const mode_t was = umask(mask);
    check_equal(was, mask, "the umask");
  });
}

int main(int, char** words) {
  Program made(words[1]);
  program = &made;
  const char* seed = getenv("UMBEL_SEED");
  Random random(seed != nullptr ? strtoul(seed, nullptr, 10) : 1);
  static constexpr std::array<void (*)(Random&), 9> makers{
      mapping, mapping, file, pipe_line, counter, signals, child, thread, limits};
  // Threads last: fork and pthread_create don't mix well.
  std::vector<size_t> plan(3 + below(random, 20));
  for (size_t& step : plan) step = below(random, makers.size());
  std::ranges::sort(plan, {}, [](size_t step) { return makers[step] == thread; });
  for (const size_t step : plan) makers[step](random);
  const int result = made.serve([] {
    for (const auto& one : checks) one();
  });
  for (const pid_t pid : children) kill(pid, SIGKILL);
  while (wait(nullptr) > 0) {
  }
  return result;
}
