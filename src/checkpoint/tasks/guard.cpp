// A forked child that reads from a pipe: a byte means that all went well, its end that umbel has
// died. A signal to the whole process group must not end both, so it takes none but SIGKILL.
#include "checkpoint/tasks/guard.h"

#include <fcntl.h>
#include <signal.h>

#include "sys/file.h"
#include "sys/process.h"

namespace umbel::checkpoint {

namespace {

int watch(const std::vector<Fd>& processes, sys::Pipe& line) {
  line.write = Fd();
  sigset_t all;
  ::sigfillset(&all);
  (void)sys::set_signal_mask(all);
  char word = 0;
  const Result<std::size_t> got = sys::read(line.read, {&word, 1});
  if (got && *got == 1) return 0;
  for (const Fd& process : processes) (void)sys::pidfd_signal(process, SIGKILL);
  return 1;
}

}  // namespace

Result<Guard> Guard::start(const Tasks& tasks) {
  std::vector<Fd> processes;
  for (const auto& task : tasks.all()) {
    if (task->record->zombie) continue;
    Fd process = TRY(sys::pidfd_open(task->pid));
    processes.push_back(std::move(process));
  }
  sys::Pipe line = TRY(sys::pipe(O_CLOEXEC));
  sys::Process process = TRY(sys::start({}, [&]() -> int { return watch(processes, line); }));
  return Guard(std::move(process), std::move(line.write));
}

Result<void> Guard::dismiss() {
  TRY(sys::write_all(line_, "."));
  TRY(process_.wait());
  return {};
}

}  // namespace umbel::checkpoint
