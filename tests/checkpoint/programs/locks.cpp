// Locks of every kind, held against a child that tries to take them.
#include <sys/file.h>
#include <sys/wait.h>

#include "../program.h"

namespace {

struct flock part(short type, off_t start, off_t length) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = start;
  lock.l_len = length;
  return lock;
}

// What somebody else is told who asks for the lock.
short found(const std::string& path, off_t start) {
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
  struct flock asked = part(F_WRLCK, start, 1);
  fcntl(file, F_OFD_GETLK, &asked);
  close(file);
  return asked.l_type;
}

bool can_flock(const std::string& path, int how) {
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
  const bool could = flock(file, how | LOCK_NB) == 0;
  close(file);
  return could;
}

// In another process: asking in the holder's own, and closing, would give POSIX locks up.
template <class Ask>
long elsewhere(Ask ask) {
  const pid_t child = fork();
  if (child == 0) _exit(static_cast<int>(ask()) & 0xff);
  int status = 0;
  waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

}  // namespace

int main(int, char** words) {
  Program program(words[1]);
  const auto make = [&](const char* name) {
    const int file = open(program.path(name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(file >= 0, name);
    return file;
  };
  const int whole = make("whole"), shared = make("shared"), posix = make("posix"),
            ofd = make("ofd");
  const int twin = dup(posix);
  must(twin >= 0 && flock(whole, LOCK_EX) == 0 && flock(shared, LOCK_SH) == 0, "flock");
  struct flock first = part(F_WRLCK, 10, 5), second = part(F_RDLCK, 100, 0),
               open_file = part(F_WRLCK, 7, 1);
  must(fcntl(posix, F_SETLK, &first) == 0 && fcntl(twin, F_SETLK, &second) == 0, "F_SETLK");
  must(fcntl(ofd, F_OFD_SETLK, &open_file) == 0, "F_OFD_SETLK");

  return program.serve([&] {
    const auto at = [&](const char* name, off_t start) {
      return elsewhere([&] { return found(program.path(name), start); });
    };
    check_equal(elsewhere([&] { return can_flock(program.path("whole"), LOCK_SH); }), 0,
                "an exclusive flock");
    check_equal(elsewhere([&] { return can_flock(program.path("shared"), LOCK_SH); }), 1,
                "a shared flock");
    check_equal(elsewhere([&] { return can_flock(program.path("shared"), LOCK_EX); }), 0,
                "a shared flock");
    check_equal(at("posix", 9), F_UNLCK, "before a lock");
    check_equal(at("posix", 10), F_WRLCK, "a lock");
    check_equal(at("posix", 14), F_WRLCK, "the end of a lock");
    check_equal(at("posix", 15), F_UNLCK, "after a lock");
    check_equal(at("posix", 5000), F_RDLCK, "a shared lock without an end");
    check_equal(at("ofd", 7), F_WRLCK, "a lock of the open file");
    check_equal(at("ofd", 8), F_UNLCK, "after a lock of the open file");
  });
}
