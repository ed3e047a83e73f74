// A program of tests/checkpoint/programs under test: started, asked whether all is as it was,
// checkpointed and restored through the command line, as a person would.
#pragma once

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "sys/testing.h"

namespace umbel::checkpoint {

namespace fs = std::filesystem;

constexpr uid_t somebody = 12345;

inline std::string from_environment(const char* name) {
  const char* value = ::getenv(name);
  return value == nullptr ? "" : value;
}

inline std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline bool wait_for(const std::string& path) {
  for (int i = 0; i < 5000; ++i) {
    if (fs::exists(path)) return true;
    ::usleep(2000);
  }
  return false;
}

// The exit status of a command; its output goes to a file.
inline int run(const std::vector<std::string>& words, const std::string& output) {
  const pid_t child = ::fork();
  if (child == 0) {
    const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    ::dup2(file, 1);
    ::dup2(file, 2);
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

class Subject {
 public:
  Subject(const std::string& program, uid_t uid) {
    EXPECT_EQ(::chmod(scratch_.path().c_str(), 0755), 0);
    EXPECT_EQ(::mkdir(scratch_.path("home").c_str(), 0755), 0);
    EXPECT_EQ(::mkdir(scratch_.path("images").c_str(), 0755), 0);
    EXPECT_EQ(::chown(scratch_.path("home").c_str(), uid, uid), 0);
    const std::string path = from_environment("UMBEL_PROGRAMS") + "/checkpoint/" + program;
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::setsid();
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    const int errors =
        ::open(scratch_.path("home/errors").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    ::dup2(null, 0);
    ::dup2(null, 1);
    ::dup2(errors, 2);
    for (int fd = 3; fd < 1024; ++fd) ::close(fd);
    if (uid != 0 && (::setgroups(0, nullptr) != 0 || ::setgid(uid) != 0 || ::setuid(uid) != 0))
      ::_exit(3);
    ::execl(path.c_str(), path.c_str(), scratch_.path("home").c_str(), nullptr);
    ::_exit(127);
  }
  ~Subject() {
    make_empty("home/stop");
    for (int i = 0; i < 500 && !reaped_; ++i) {
      reaped_ = ::waitpid(pid_, nullptr, WNOHANG) == pid_;
      if (!reaped_) ::usleep(2000);
    }
    if (!reaped_) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }
  pid_t pid() const { return pid_; }
  const sys::Scratch& scratch() const { return scratch_; }
  std::string images() const { return scratch_.path("images"); }
  std::string log() const { return scratch_.path("log"); }
  bool ready() { return wait_for(scratch_.path("home/ready")); }
  std::string ask() {
    fs::remove(scratch_.path("home/verdict"));
    make_empty("home/ask");
    if (!wait_for(scratch_.path("home/verdict"))) return "it does not answer";
    return content(scratch_.path("home/verdict"));
  }
  // A directory for one more image.
  std::string more_images(const std::string& name) {
    fs::remove_all(scratch_.path(name));
    EXPECT_EQ(::mkdir(scratch_.path(name).c_str(), 0755), 0);
    return scratch_.path(name);
  }
  std::string pre_dump(const std::vector<std::string>& more) {
    std::vector<std::string> words{from_environment("UMBEL_CRIU"), "pre-dump", "-t",
                                   std::to_string(pid_), "--track-mem"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words, log()) == 0 ? "" : content(log());
  }
  std::string dump(const std::vector<std::string>& more) {
    std::vector<std::string> words{
        from_environment("UMBEL_CRIU"), "dump",         "-t",           std::to_string(pid_), "-D",
        scratch_.path("images"),        "--file-locks", "--link-remap", "--tcp-established"};
    words.insert(words.end(), more.begin(), more.end());
    const int code = run(words, scratch_.path("log"));
    const bool stays = std::ranges::find(more, "--leave-running") != more.end();
    if (code == 0 && !stays) reap();
    return code == 0 ? "" : content(scratch_.path("log"));
  }
  std::string restore() {
    const int code =
        run({from_environment("UMBEL_CRIU"), "restore", "-d", "-D", scratch_.path("images")},
            scratch_.path("log"));
    if (code == 0) reaped_ = false;
    return code == 0 ? "" : content(scratch_.path("log"));
  }
  // It ended, or was started again, by other hands.
  void is_gone() { reap(); }
  void is_back() { reaped_ = false; }
  std::string errors() { return content(scratch_.path("home/errors")); }

 private:
  void make_empty(const std::string& name) { std::ofstream file(scratch_.path(name)); }
  void reap() {
    ::waitpid(pid_, nullptr, 0);
    // And what came to this subreaper of the tree.
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    reaped_ = true;
  }
  sys::Scratch scratch_;
  pid_t pid_ = -1;
  bool reaped_ = false;
};

}  // namespace umbel::checkpoint
