// Input and complaints go through memory files, so that neither side ever waits for the other.
#include "sys/program.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "base/text.h"
#include "sys/call.h"
#include "sys/file.h"

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

}  // namespace

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
  pid_t pid = -1;
  if (const int code = ::posix_spawnp(&pid, words.front().c_str(), actions.get(), nullptr,
                                      arguments.data(), environ);
      code != 0)
    return Failure(Error{.code = code, .call = "starting " + words.front()});
  int status = 0;
  TRY(checked(retried([&] { return ::waitpid(pid, &status, 0); }), "waitpid"));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  const Fd complaints = TRY(reopen(out, O_RDONLY));
  const std::string text = TRY(read_all(complaints));
  return fail(words.front() + ": " + std::string(trimmed(text)));
}

}  // namespace umbel::sys
