// For the programs of tests/checkpoint/programs: each sets something up, says that it is ready, and
// is then checkpointed and restored, or left running, any number of times; after each time it is
// asked whether everything is as it was.
//
//   int main(int, char** words) {
//     Program program(words[1]);
//     ...set up...
//     return program.serve([&] { check(counter == 7, "the counter"); });
//   }
//
// The directory holds what passes between program and test: "ready" and "verdict" by the program,
// "ask" and "stop" by the test. The program waits by sleeping, and keeps nothing of it open.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <string>

inline std::string& complaints() {
  static std::string all;
  return all;
}

// Says what is wrong; the rest is checked nevertheless.
inline bool check(bool holds, const std::string& what) {
  if (!holds) complaints() += what + " is wrong; ";
  return holds;
}
template <class T, class U>
bool check_equal(const T& is, const U& was, const std::string& what) {
  return check(is == was,
               what + " (" + std::to_string(is) + " instead of " + std::to_string(was) + ")");
}

// For the set-up, where nothing can go on after a failure.
inline void must(bool holds, const char* what) {
  if (holds) return;
  fprintf(stderr, "can't set up: %s: %s\n", what, strerror(errno));
  exit(2);
}

class Program {
 public:
  explicit Program(const char* dir) : dir_(dir) {}
  std::string path(const std::string& name) const { return dir_ + "/" + name; }

  template <class Verify>
  int serve(Verify verify) {
    put("ready", std::to_string(getpid()));
    for (;;) {
      if (access(path("stop").c_str(), F_OK) == 0) return 0;
      if (access(path("ask").c_str(), F_OK) == 0) {
        complaints().clear();
        verify();
        unlink(path("ask").c_str());
        put("verdict", complaints().empty() ? "right" : complaints());
      }
      const timespec pause{.tv_sec = 0, .tv_nsec = 2000000};
      nanosleep(&pause, nullptr);
    }
  }

 private:
  void put(const std::string& name, const std::string& text) {
    const std::string whole = path(name), part = whole + ".part";
    const int file = open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    must(file >= 0, part.c_str());
    must(write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()), "write");
    close(file);
    must(rename(part.c_str(), whole.c_str()) == 0, "rename");
  }
  std::string dir_;
};
