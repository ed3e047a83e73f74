// Input and complaints go through memory files, so that neither side ever waits for the other.
#include "sys/program.h"

#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "base/text.h"
#include "sys/call.h"
#include "sys/file.h"
#include "sys/fork.h"

namespace umbel::sys {

namespace {

class Actions {
 public:
  Actions() { ::posix_spawn_file_actions_init(&actions_); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  ~Actions() { ::posix_spawn_file_actions_destroy(&actions_); }
  void install(FdRef fd, int number) {
    ::posix_spawn_file_actions_adddup2(&actions_, fd.number(), number);
  }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

Fd programs;  // the mount namespace that they are in, where that is not this process's

Result<pid_t> start_here(std::span<char* const> words, const Actions& actions) {
  pid_t pid = -1;
  const int code =
      ::posix_spawnp(&pid, words.front(), actions.get(), nullptr, words.data(), environ);
  if (code == 0) return pid;
  return Failure(Error{.code = code, .call = "starting " + std::string(words.front())});
}

constexpr int not_started = 127;

Result<pid_t> start_there(std::span<char* const> words, FdRef in, FdRef out) {
  Process child = TRY(start_by_fork([&] {
    if (::setns(programs.number(), CLONE_NEWNS) != 0) return not_started;
    ::dup2(in.number(), 0);
    ::dup2(out.number(), 1);
    ::dup2(out.number(), 2);
    ::execvp(words.front(), words.data());
    return not_started;
  }));
  const pid_t pid = child.pid().value();
  (void)child.detach();
  return pid;
}

}  // namespace

void keep_programs(Fd mount_namespace) { programs = std::move(mount_namespace); }

Result<void> run_program(std::span<const std::string> words, std::string_view input) {
  const Fd in = TRY(memory_file("input")), out = TRY(memory_file("complaints"));
  TRY(write_all(in, input));
  const Fd from_start = TRY(reopen(in, O_RDONLY));
  Actions actions;
  actions.install(from_start, 0);
  actions.install(out, 1);
  actions.install(out, 2);
  std::vector<char*> arguments;
  for (const std::string& word : words)
    arguments.push_back(const_cast<char*>(word.c_str()));  // execve(2) leaves them alone
  arguments.push_back(nullptr);
  const pid_t pid =
      TRY(programs ? start_there(arguments, from_start, out) : start_here(arguments, actions));
  int status = 0;
  TRY(checked(retried([&] { return ::waitpid(pid, &status, 0); }), "waitpid"));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (programs && WIFEXITED(status) && WEXITSTATUS(status) == not_started)
    return Failure(Error{.code = ENOENT, .call = "starting " + words.front()});
  const Fd complaints = TRY(reopen(out, O_RDONLY));
  const std::string text = TRY(read_all(complaints));
  return fail(words.front() + ": " + std::string(trimmed(text)));
}

}  // namespace umbel::sys
