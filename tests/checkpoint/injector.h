// Makes one system call of a program fail, or kills the program at it: any call of any of its
// threads, by its number in the order of time. A tracer of its own rather than strace, since the
// children that the program makes, which it traces itself, must be left alone.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <string>
#include <vector>

namespace umbel::checkpoint {

struct Fault {
  enum class Kind { none, error, kill } kind = Kind::none;
  long at = 0;  // the first call is 1
};

struct Outcome {
  int code = -1;  // exit status; 128 + signal
  long calls = 0;
  long number = -1;  // of the call at which it happened
  bool hangs = false;
};

class Injector {
 public:
  Injector(const std::vector<std::string>& words, const std::string& output, Fault fault)
      : fault_(fault) {
    int gate[2];
    if (::pipe2(gate, O_CLOEXEC) != 0) return;
    child_ = ::fork();
    if (child_ == 0) {
      ::close(gate[1]);
      execute(words, output, gate[0]);
    }
    trace();
    ::close(gate[0]);
    ::close(gate[1]);  // the child goes on
  }

  Outcome run() {
    struct sigaction action{};
    action.sa_handler = [](int) {};  // without SA_RESTART: ends waitpid
    ::sigaction(SIGALRM, &action, nullptr);
    ::alarm(30);
    while (!over_) {
      int status = 0;
      const pid_t tid = ::waitpid(-1, &status, __WALL);
      if (tid < 0 && errno == EINTR) {
        outcome_.hangs = true;
        ::kill(child_, SIGKILL);
        ::alarm(30);
      } else if (tid < 0) {
        break;
      } else {
        told(tid, status);
      }
    }
    ::alarm(0);
    return outcome_;
  }

 private:
  [[noreturn]] static void execute(const std::vector<std::string>& words, const std::string& output,
                                   int gate) {
    char byte = 0;
    while (::read(gate, &byte, 1) < 0) {
    }
    const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    ::dup2(file, 1);
    ::dup2(file, 2);
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }

  // Threads are followed, processes (whose end is told by SIGCHLD) are not.
  void trace() {
    constexpr unsigned long options =
        PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    ::ptrace(PTRACE_SEIZE, child_, nullptr, options);
    ::ptrace(PTRACE_INTERRUPT, child_, nullptr, nullptr);
  }

  void told(pid_t tid, int status) {
    if (!WIFSTOPPED(status)) {
      inside_.erase(tid);
      if (tid != child_) return;
      over_ = true;
      outcome_.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      return;
    }
    int signal = WSTOPSIG(status);
    const int event = status >> 16;
    if (event == PTRACE_EVENT_EXEC) counting_ = true;
    if (signal == (SIGTRAP | 0x80)) {
      system_call(tid);
      signal = 0;
    } else if (event != 0 || signal == SIGTRAP || signal == SIGSTOP) {
      signal = 0;
    }
    ::ptrace(PTRACE_SYSCALL, tid, nullptr, signal);
  }

  void system_call(pid_t tid) {
    const bool leaving = inside_.erase(tid) != 0;
    if (!leaving) inside_.insert(tid);
    user_regs_struct registers{};
    if (tid == failing_ && leaving) {
      failing_ = 0;
      ::ptrace(PTRACE_GETREGS, tid, nullptr, &registers);
      registers.rax = static_cast<unsigned long long>(-ENOMEM);
      ::ptrace(PTRACE_SETREGS, tid, nullptr, &registers);
    }
    if (leaving || !counting_ || ++outcome_.calls != fault_.at) return;
    ::ptrace(PTRACE_GETREGS, tid, nullptr, &registers);
    outcome_.number = static_cast<long>(registers.orig_rax);
    if (fault_.kind == Fault::Kind::kill) ::kill(child_, SIGKILL);
    // The end of a process can't fail, and the C library believes that a futex can't.
    if (fault_.kind != Fault::Kind::error || registers.orig_rax == SYS_exit_group ||
        registers.orig_rax == SYS_futex)
      return;
    registers.orig_rax = static_cast<unsigned long long>(-1);
    ::ptrace(PTRACE_SETREGS, tid, nullptr, &registers);
    failing_ = tid;
  }

  Fault fault_;
  pid_t child_ = -1, failing_ = 0;
  bool counting_ = false, over_ = false;
  std::set<pid_t> inside_;
  Outcome outcome_;
};

}  // namespace umbel::checkpoint
