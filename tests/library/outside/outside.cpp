// A program outside of umbel's tree that uses the installed library; it prints what it found and
// fails where that is not what the library promises.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <umbel/umbel.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace {

using umbel::Container;
using umbel::fresh;
using umbel::Kind;
using umbel::named;
using umbel::spawn;
using umbel::with;

void expect(bool holds, const std::string& what) {
  if (holds) return;
  std::cerr << "not so: " << what << "\n";
  std::exit(1);
}

template <class T>
T good(umbel::Result<T> result) {
  if (!result) {
    std::cerr << result.error().message() << "; try: " << result.error().cure << "\n";
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

ino_t inode(int fd) {
  struct stat found{};
  ::fstat(fd, &found);
  return found.st_ino;
}
ino_t inode(const Container& container, Kind kind) {
  return inode(good(container.namespace_of(kind)).number());
}
ino_t own(const char* kind) {
  struct stat found{};
  ::stat((std::string("/proc/self/ns/") + kind).c_str(), &found);
  return found.st_ino;
}

// The mail's own line.
void overlaps() {
  umbel::Namespace net = good(umbel::Namespace::create(Kind::net, "outside-test"));
  Container a = good(spawn({.ipc = fresh}, {"sleep", "1000"}));
  Container c =
      good(spawn({.pid = fresh, .ipc = with(a), .net = named("outside-test")}, {"sleep", "1000"}));
  expect(inode(c, Kind::ipc) == inode(a, Kind::ipc), "ipc is a's");
  expect(inode(c, Kind::ipc) != own("ipc"), "ipc is not the host's");
  expect(inode(c, Kind::net) == inode(good(net.open()).number()), "net is the named one");
  expect(inode(c, Kind::pid) != own("pid"), "pid is new");
  expect(inode(c, Kind::uts) == own("uts"), "uts is the host's");
  expect(!good(net.users()).empty(), "somebody is in the named one");
  expect(net.remove().error().code == EBUSY, "it can't be removed while somebody is");
  const pid_t first = c.pid();
  {
    const Container gone = std::move(c);
  }
  expect(::kill(first, 0) < 0, "the handle's end is the container's");
  good(net.remove());
  expect(umbel::Namespace::find("net/outside-test").error().code == ENOENT, "the name is gone");
}

void ends() {
  Container seven = good(spawn({.pid = fresh}, {"sh", "-c", "exit 7"}));
  expect(good(seven.wait()) == 7, "an exit code");
  expect(good(seven.wait()) == 7, "the same again");
  expect(seven.pid() == 0, "no pid after the end");
  Container killed = good(spawn({.pid = fresh}, {"sleep", "1000"}));
  good(killed.kill(SIGKILL));
  expect(good(killed.wait()) == 137, "killed");
  const auto nothing = spawn({.pid = fresh}, {"/nonexistent"});
  expect(!nothing && nothing.error().code == ENOENT, "a command that is not there");
  expect(!spawn({.net = named("nonexistent")}, {"true"}), "a name that is not there");
  expect(!spawn({}, {}), "no command");
}

void streams() {
  int ends[2];
  expect(::pipe2(ends, O_CLOEXEC) == 0, "a pipe");
  const umbel::Fd reading(ends[0]);
  umbel::Fd writing(ends[1]);
  Container hello =
      good(spawn({.pid = fresh, .uts = fresh}, {"sh", "-c", "echo $GREETING; hostname"},
                 {.environment = std::vector<std::string>{"GREETING=hello"},
                  .hostname = "outside",
                  .out = writing}));
  // Nobody else may hold the writing end, or this would never end.
  writing.close();
  std::string text;
  char part[64];
  for (ssize_t n = 0; (n = ::read(reading.number(), part, sizeof part)) > 0;) text.append(part, n);
  expect(text == "hello\noutside\n", "output: " + text);
  expect(good(hello.wait()) == 0, "it ended well");
}

void further_programs() {
  Container box = good(spawn({.pid = fresh, .uts = fresh}, {"sleep", "1000"}, {.hostname = "box"}));
  umbel::Process inside = good(box.exec({"sh", "-c", "test $(hostname) = box && exit 5"}));
  expect(good(inside.wait()) == 5, "exec runs inside");
  Container again = good(Container::find(box.name()));
  expect(again.pid() == box.pid(), "found by name");
}

// malloc is busy in every other thread at the moment of each fork.
void threads() {
  std::atomic<bool> stop = false;
  std::vector<std::thread> busy;
  for (int i = 0; i < 4; ++i)
    busy.emplace_back([&] {
      while (!stop) std::string(100 + static_cast<std::size_t>(rand() % 5000), 'x').shrink_to_fit();
    });
  for (int i = 0; i < 10; ++i)
    expect(good(good(spawn({.pid = fresh}, {"true"})).wait()) == 0, "spawn beside threads");
  stop = true;
  for (std::thread& one : busy) one.join();
}

void detached() {
  // With nothing of this program's open, whose output somebody reads until its end.
  const umbel::Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  Container stays = good(spawn({.pid = fresh}, {"sleep", "1000"},
                               {.name = "stays", .in = null, .out = null, .err = null}));
  good(stays.detach());
}

// Without any right of root's: everything in a user namespace of one's own.
void as_ordinary_user() {
  Container box =
      good(spawn({.pid = fresh, .user = fresh, .ipc = fresh, .uts = fresh},
                 {"sh", "-c", "test $(id -u) = 0 && test $(hostname) = box"}, {.hostname = "box"}));
  expect(good(box.wait()) == 0, "root inside");
  umbel::Namespace ipc = good(umbel::Namespace::create(Kind::ipc, "mine"));
  Container user =
      good(spawn({.user = named("ipc/mine"), .ipc = named("mine")}, {"sleep", "1000"}));
  expect(inode(user, Kind::ipc) == inode(good(ipc.open()).number()), "the named one");
  {
    const Container gone = std::move(user);
  }
  good(ipc.remove());
  const auto refused = spawn({.net = fresh}, {"true"});
  expect(!refused && !refused.error().cure.empty(), "refused, with the cure");
}

}  // namespace

int main() {
  if (::geteuid() != 0) {
    as_ordinary_user();
    std::cout << "all as promised\n";
    return 0;
  }
  overlaps();
  ends();
  streams();
  further_programs();
  threads();
  detached();
  std::cout << "all as promised\n";
}
