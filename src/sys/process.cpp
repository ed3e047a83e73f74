// clone3(2) is called directly: glibc 2.36 has no wrapper, and its fork() cannot ask for
// namespaces, a pidfd or a cgroup in the same step. Since no stack is given, the child returns here
// as from fork.
#include "sys/process.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "base/text.h"
#include "sys/call.h"
#include "sys/file.h"
#include "sys/wait.h"

namespace umbel::sys {

namespace {

std::vector<char*> pointers(std::span<const std::string> texts) {
  std::vector<char*> made;
  made.reserve(texts.size() + 1);
  // execve takes char* const[] for history's sake and changes nothing.
  for (const std::string& text : texts) made.push_back(const_cast<char*>(text.c_str()));  // NOLINT
  made.push_back(nullptr);
  return made;
}

}  // namespace

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    end();
    pid_ = other.pid_;
    pidfd_ = std::move(other.pidfd_);
  }
  return *this;
}

Result<void> Process::kill(int signal) const { return pidfd_signal(pidfd_, signal); }

Result<Exit> Process::wait() {
  Result<Exit> ended = reap(pidfd_);
  if (ended) pidfd_.close();
  return ended;
}

Fd Process::detach() { return std::move(pidfd_); }

void Process::end() noexcept {
  if (!pidfd_) return;
  // A child that may not be killed (it became another user's) would be waited for without end.
  if (pidfd_signal(pidfd_, SIGKILL)) (void)reap(pidfd_);
  pidfd_.close();
}

Result<Process> clone3(const Clone& how) {
  int pidfd = -1;
  clone_args args{};
  args.flags = how.flags | CLONE_PIDFD | (how.cgroup ? CLONE_INTO_CGROUP : 0);
  args.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
  // With CLONE_PARENT the kernel takes the parent's own exit signal and wants 0 here.
  args.exit_signal =
      (how.flags & CLONE_PARENT) != 0 ? 0 : static_cast<std::uint64_t>(how.exit_signal);
  if (how.cgroup) args.cgroup = static_cast<std::uint64_t>(how.cgroup->number());
  args.set_tid = reinterpret_cast<std::uintptr_t>(how.set_tid.data());
  args.set_tid_size = how.set_tid.size();
  if (how.set_tid.empty()) args.set_tid = 0;
  const long pid = ::syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) return Failure(last_error("clone3"));
  if (pid == 0) return Process();
  return Process(HostPid(static_cast<pid_t>(pid)), Fd(pidfd));
}

Result<Fd> pidfd_open_thread(HostPid tid) {
  constexpr int pidfd_thread = O_EXCL;  // PIDFD_THREAD of linux/pidfd.h
  const long fd = ::syscall(SYS_pidfd_open, tid.value(), pidfd_thread);
  if (fd < 0) return Failure(last_error("pidfd_open", std::to_string(tid.value())));
  return Fd(static_cast<int>(fd));
}

Result<Fd> pidfd_open(HostPid pid) {
  const long fd = ::syscall(SYS_pidfd_open, pid.value(), 0);
  if (fd < 0) return Failure(last_error("pidfd_open", std::to_string(pid.value())));
  return Fd(static_cast<int>(fd));
}

Result<void> pidfd_signal(FdRef pidfd, int signal) {
  return checked(::syscall(SYS_pidfd_send_signal, pidfd.number(), signal, nullptr, 0),
                 "pidfd_send_signal");
}

Result<void> signal_process(HostPid pid, int signal) {
  return checked(::kill(pid.value(), signal), "kill", std::to_string(pid.value()));
}

Result<void> signal_thread(HostPid pid, HostPid tid, int signal) {
  return checked(::syscall(SYS_tgkill, pid.value(), tid.value(), signal), "tgkill",
                 std::to_string(tid.value()));
}

Result<Fd> pidfd_getfd(FdRef pidfd, int number) {
  const long fd = ::syscall(SYS_pidfd_getfd, pidfd.number(), number, 0);
  if (fd < 0) return Failure(last_error("pidfd_getfd"));
  return Fd(static_cast<int>(fd));
}

Result<bool> wait_end(FdRef pidfd, std::chrono::milliseconds at_most) {
  return wait_ready(pidfd, POLLIN, at_most);
}

Result<Exit> reap(FdRef pidfd) {
  siginfo_t info{};
  TRY(checked(retried([&] {
                return ::waitid(P_PIDFD, static_cast<id_t>(pidfd.number()), &info,
                                WEXITED | __WALL);
              }),
              "waitid"));
  if (info.si_code == CLD_EXITED) return Exit{.status = info.si_status};
  return Exit{.signal = info.si_status};
}

Result<void> check_executable(const std::string& path) {
  struct stat found{};
  TRY(checked(::stat(path.c_str(), &found), "execve", path));
  // access(2) lets root execute a directory.
  if (S_ISDIR(found.st_mode)) errno = EACCES;
  const bool good =
      !S_ISDIR(found.st_mode) && ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0;
  return checked(good ? 0 : -1, "execve", path);
}

Error execute(const std::string& path, std::span<const std::string> args,
              std::span<const std::string> env) {
  ::execve(path.c_str(), pointers(args).data(), pointers(env).data());
  return last_error("execve", path);
}

Error execute(FdRef file, std::span<const std::string> args, std::span<const std::string> env) {
  ::syscall(SYS_execveat, file.number(), "", pointers(args).data(), pointers(env).data(),
            AT_EMPTY_PATH);
  return last_error("execveat");
}

Result<Fd> signal_descriptor(const sigset_t& signals) {
  TRY(block_signals(signals));
  const int fd = ::signalfd(-1, &signals, SFD_CLOEXEC);
  if (fd < 0) return Failure(last_error("signalfd"));
  return Fd(fd);
}

Result<int> next_signal(FdRef signals) {
  signalfd_siginfo info{};
  TRY(checked(retried([&] { return ::read(signals.number(), &info, sizeof info); }), "read"));
  return static_cast<int>(info.ssi_signo);
}

Result<sigset_t> block_signals(const sigset_t& signals) {
  sigset_t before{};
  TRY(checked(::sigprocmask(SIG_BLOCK, &signals, &before), "sigprocmask"));
  return before;
}

Result<void> set_signal_mask(const sigset_t& mask) {
  return checked(::sigprocmask(SIG_SETMASK, &mask, nullptr), "sigprocmask");
}

void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none{};
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace umbel::sys
