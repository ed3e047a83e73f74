// What can't be carried is refused by its name, with what to do about it, and the program goes on
// as if nobody had asked. The program is this test's own child, which sets one thing up.
#include <fcntl.h>
#include <pty.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/shm.h>
#include <sys/socket.h>

#include "subject.h"

namespace umbel::checkpoint {

namespace {

// A child that has run `set_up` and waits; it answers by a byte on a pipe, so that it can be asked
// whether it is alive without it having anything else open.
class Waiting {
 public:
  template <class SetUp>
  explicit Waiting(SetUp set_up) {
    EXPECT_EQ(::pipe(questions_), 0);
    EXPECT_EQ(::pipe(answers_), 0);
    child_ = ::fork();
    if (child_ == 0) run(set_up);
    EXPECT_TRUE(answers());
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    for (const int fd : {questions_[0], questions_[1], answers_[0], answers_[1]}) ::close(fd);
  }
  // Still as it was.
  bool answers() {
    char byte = '?';
    return ::write(questions_[1], &byte, 1) == 1 && ::read(answers_[0], &byte, 1) == 1 &&
           byte == '!';
  }
  std::string refusal(const std::vector<std::string>& options = {}) {
    std::vector<std::string> words{from_environment("UMBEL_CRIU"), "dump", "-t",
                                   std::to_string(child_),         "-D",   images_.path()};
    words.insert(words.end(), options.begin(), options.end());
    const std::string log = log_.path("log");
    if (run_command(words, log) == 0) return "it was not refused";
    return content(log);
  }

 private:
  static int run_command(const std::vector<std::string>& words, const std::string& log) {
    return checkpoint::run(words, log);
  }
  template <class SetUp>
  [[noreturn]] void run(SetUp set_up) {
    ::setsid();
    const int null = ::open("/dev/null", O_RDWR);
    for (const int fd : {0, 1, 2}) ::dup2(null, fd);
    const int question = ::fcntl(questions_[0], F_DUPFD, 100);
    const int answer = ::fcntl(answers_[1], F_DUPFD, 100);
    for (int fd = 3; fd < 100; ++fd) ::close(fd);
    if (!set_up()) ::_exit(1);
    for (char byte = 0; ::read(question, &byte, 1) == 1;) {
      byte = '!';
      if (::write(answer, &byte, 1) != 1) break;
    }
    ::_exit(0);
  }
  sys::Scratch images_, log_;
  int questions_[2] = {-1, -1}, answers_[2] = {-1, -1};
  pid_t child_ = -1;
};

class Refusals : public testing::Test {
 protected:
  void SetUp() override { UMBEL_NEEDS_ROOT(); }
  // The program is refused with all these words, and lives.
  static void expect(Waiting& program, const std::vector<std::string>& words,
                     const std::vector<std::string>& options = {}) {
    const std::string text = program.refusal(options);
    for (const std::string& word : words)
      EXPECT_NE(text.find(word), std::string::npos) << "'" << word << "' is not in: " << text;
    EXPECT_TRUE(program.answers()) << "it was harmed";
  }
};

bool nothing_wrong(int answer) { return answer >= 0; }

}  // namespace

TEST_F(Refusals, SocketsOfTheKernelAndOfDevices) {
  Waiting netlink([] { return nothing_wrong(::socket(AF_NETLINK, SOCK_RAW, 0)); });
  expect(netlink, {"netlink-socket", "close it before the checkpoint"});
  Waiting packets([] { return nothing_wrong(::socket(AF_PACKET, SOCK_RAW, 0)); });
  expect(packets, {"packet-socket", "network devices"});
}

TEST_F(Refusals, AStreamWhosePeerIsOutside) {
  Waiting connected([] {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) return false;
    // The other end lives on in a process that is no child of the tree.
    const pid_t middle = ::fork();
    if (middle == 0) {
      if (::fork() == 0) {
        ::setsid();
        ::alarm(5);
        for (;;) ::pause();
      }
      ::_exit(0);
    }
    ::waitpid(middle, nullptr, 0);
    return nothing_wrong(::close(pair[1]));
  });
  expect(connected, {"the socket's peer is outside of what is dumped", "dump the peer with it"});
}

TEST_F(Refusals, EventsThatNobodyHasRead) {
  Waiting program([] {
    const int watches = ::inotify_init1(IN_CLOEXEC);
    if (::inotify_add_watch(watches, "/tmp", IN_OPEN) < 0) return false;
    return nothing_wrong(::close(::open("/tmp", O_RDONLY | O_DIRECTORY)));
  });
  expect(program,
         {"bytes of events that the program has not read yet", "let the program read them"});
}

TEST_F(Refusals, ATargetOfEpollThatNobodyHas) {
  Waiting program([] {
    // In the queue of a socket the file lives on, but is nobody's descriptor.
    const int epoll = ::epoll_create1(0), target = ::eventfd(0, 0);
    epoll_event event{.events = EPOLLIN, .data = {.u64 = 1}};
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, target, &event) != 0) return false;
    if (::fork() == 0) {
      ::close(epoll);
      if (::fork() != 0) ::_exit(0);
      ::setsid();
      ::alarm(5);
      for (;;) ::pause();
    }
    ::wait(nullptr);
    return nothing_wrong(::close(target));
  });
  expect(program, {"the epoll instance watches a file", "EPOLL_CTL_DEL"});
}

TEST_F(Refusals, LocksUnlessTheyAreToBeCarried) {
  const sys::Scratch scratch;
  const std::string path = scratch.path("locked");
  Waiting program([&] {
    return ::flock(::open(path.c_str(), O_RDWR | O_CREAT, 0600), LOCK_EX | LOCK_NB) == 0;
  });
  expect(program, {"is locked", "--file-locks"});
}

TEST_F(Refusals, AFileThatHasLostItsName) {
  const sys::Scratch scratch;
  const std::string one = scratch.path("one"), other = scratch.path("other");
  Waiting program([&] {
    return ::open(one.c_str(), O_RDWR | O_CREAT, 0600) >= 0 &&
           ::link(one.c_str(), other.c_str()) == 0 && ::unlink(one.c_str()) == 0;
  });
  expect(program, {"no longer at that path", "--link-remap"});
  // One that was to be carried, but for something else: its new name goes away again.
  Waiting both([&] {
    return ::open(other.c_str(), O_RDWR) >= 0 && ::link(other.c_str(), one.c_str()) == 0 &&
           ::unlink(other.c_str()) == 0 &&
           ::inotify_add_watch(::inotify_init(), "/tmp", IN_OPEN) > 0 &&
           ::close(::open("/tmp", O_RDONLY | O_DIRECTORY)) == 0;
  });
  expect(both, {"bytes of events"}, {"--link-remap"});
  int names = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(scratch.path())) ++names;
  EXPECT_EQ(names, 1);
}

TEST_F(Refusals, ASegmentThatOthersHaveAttached) {
  const int id = ::shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
  ASSERT_GE(id, 0);
  void* const ours = ::shmat(id, nullptr, SHM_RDONLY);
  Waiting program([&] { return ::shmat(id, nullptr, 0) != reinterpret_cast<void*>(-1); });
  EXPECT_EQ(::shmctl(id, IPC_RMID, nullptr), 0);
  expect(program, {"System V segment", "attached 1 times by others", "checkpoint those together"});
  EXPECT_EQ(::shmdt(ours), 0);
}

TEST_F(Refusals, TheTerminalOfSomebodyElse) {
  int master = -1, slave = -1;
  ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
  const std::string name = ::ttyname(slave);
  Waiting program([&] { return nothing_wrong(::open(name.c_str(), O_RDWR | O_NOCTTY)); });
  expect(program, {"is the terminal of somebody outside", "--shell-job"});
  ::close(master);
  ::close(slave);
}

}  // namespace umbel::checkpoint
