// The keeper is found again by its pid and the time of its start, and its descriptors are copied
// from it with pidfd_getfd(2): it has no need to listen to anybody. It waits until none of the
// watched processes is left.
#include "checkpoint/memory/chain.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>

#include "checkpoint/remote/injection.h"
#include "checkpoint/resource/thread.h"
#include "inspect/process.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/remote_memory.h"
#include "sys/userfault.h"

namespace umbel::checkpoint {

namespace {

namespace call = remote::call;

// The pidfd of a process if it still is the one that was meant.
Result<Fd> same_process(HostPid pid, std::uint64_t start_time) {
  Fd pidfd = TRY(sys::pidfd_open(pid));
  const inspect::Process process = TRY(inspect::Process::open(pid));
  const proc::Stat stat = TRY(process.stat());
  if (stat.start_time != start_time || stat.state == 'Z')
    return fail_with(ESRCH, "another process has that pid now");
  return pidfd;
}

// Memory of the process's own: what a dump copies. The kernel's pieces can't be watched.
bool worth_watching(const proc::Mapping& mapping) {
  return !mapping.shared && mapping.path != "[vdso]" && mapping.path != "[vsyscall]" &&
         !mapping.path.starts_with("[vvar");
}

}  // namespace

Result<Chain> Chain::on(const image::Reader& parent) {
  Chain chain;
  const Value value = TRY(parent.record("tracking"));
  chain.tracking_ = TRY(from_value<image::Tracking>(value));
  Result<Fd> keeper = same_process(HostPid(chain.tracking_.keeper), chain.tracking_.keeper_start);
  if (keeper) chain.keeper_ = std::move(*keeper);
  return chain;
}

const image::Tracked* Chain::find(const Process& process) const {
  if (!keeper_) return nullptr;
  const auto found =
      std::ranges::find(tracking_.processes, process.pid().value(), &image::Tracked::pid);
  const bool same =
      found != tracking_.processes.end() && found->start_time == process.stat.start_time;
  return same ? &*found : nullptr;
}

Result<Fd> Chain::watcher(const image::Tracked& tracked) const {
  return during("taking over what watches process " + std::to_string(tracked.pid),
                sys::pidfd_getfd(keeper_, tracked.descriptor));
}

Result<void> Chain::end() {
  if (!keeper_) return {};
  const Fd keeper = std::move(keeper_);
  const Result<void> ended = sys::pidfd_signal(keeper, SIGKILL);
  if (!ended && ended.error().code != ESRCH) return during("ending the keeper", ended);
  // Its descriptors are closed, and the watching is over, when it is gone.
  TRY(sys::wait_end(keeper, std::chrono::seconds(10)));
  return {};
}

Result<void> watch(const Process& process, const std::vector<proc::Mapping>& mappings,
                   FdRef watcher) {
  const Fd pagemap = TRY(sys::open(process.facts.dir(), "pagemap", O_RDONLY));
  for (const proc::Mapping& mapping : mappings) {
    if (!worth_watching(mapping)) continue;
    if (!is_watched(mapping) && !sys::watch_range(watcher, mapping.start, mapping.size())) continue;
    TRY(during("protecting the memory of " + process.named(),
               sys::protect_written(pagemap, mapping.start, mapping.end)));
  }
  return {};
}

Result<Fd> make_watcher(const Process& process, const std::vector<proc::Mapping>& mappings) {
  const Thread& leader = process.threads.front();
  image::Thread unused;
  const remote::Cpu cpu = TRY(read_thread_cpu(process, leader, unused));
  const proc::Keyed status = TRY(process.facts.status());
  const std::uint64_t pending = TRY(status.number("SigPnd", 16)) | TRY(status.number("ShdPnd", 16));
  const std::uint64_t caught = TRY(status.number("SigCgt", 16));
  remote::Injection injection =
      TRY(remote::Injection::install(leader.id, cpu, mappings, process.memory));
  const Fd pidfd = TRY(descriptors_of(process));
  Fd watcher;
  {
    remote::Session session = TRY(remote::Session::enter(leader.id, injection.scratch(), cpu,
                                                         remote::quiet_signal(pending, caught)));
    remote::Batch batch = session.batch();
    const remote::Call made = batch.call(call::userfaultfd, sys::watcher_flags);
    TRY(session.run(batch));
    const auto number = static_cast<int>(TRY(batch.answer(made)));
    Result<Fd> copied = sys::pidfd_getfd(pidfd, number);
    batch.clear();
    batch.call(call::close, number);
    TRY(session.run(batch));
    watcher = TRY(std::move(copied));
    TRY(session.leave());
  }
  TRY(injection.remove());
  TRY(sys::make_watcher(watcher));
  return watcher;
}

namespace {

// Until none of them is left.
int keep(const std::vector<Fd>& processes) {
  std::vector<pollfd> waiting;
  for (const Fd& process : processes)
    waiting.push_back({.fd = process.number(), .events = POLLIN, .revents = 0});
  for (std::size_t left = waiting.size(); left > 0;) {
    if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) return 1;
    for (pollfd& one : waiting) {
      if (one.fd < 0 || one.revents == 0) continue;
      one.fd = -1;
      --left;
    }
  }
  return 0;
}

// In the child: away from whoever called umbel, with nothing open but what it is there for.
int live_apart(const std::vector<Watched>& watched, const std::vector<Fd>& processes) {
  ::prctl(PR_SET_NAME, "umbel-keeper");
  ::setsid();
  if (::chdir("/") != 0) return 1;
  std::vector<FdRef> kept;
  for (const Watched& one : watched) kept.emplace_back(one.watcher);
  for (const Fd& process : processes) kept.emplace_back(process);
  if (!sys::close_all_but(0, kept)) return 1;
  return keep(processes);
}

}  // namespace

Result<Keeper> Keeper::start(const std::vector<Watched>& watched) {
  std::vector<Fd> processes;
  Keeper made;
  image::Tracking& tracking = made.tracking_;
  for (const Watched& one : watched) {
    Result<Fd> pidfd = sys::pidfd_open(one.process->pid());
    // It runs on, and may have ended meanwhile.
    if (!pidfd && pidfd.error().code == ESRCH) continue;
    processes.push_back(TRY(std::move(pidfd)));
    tracking.processes.push_back({.pid = one.process->pid().value(),
                                  .start_time = one.process->stat.start_time,
                                  .descriptor = one.watcher.number(),
                                  .pages = one.pages});
  }
  made.process_ = TRY(sys::start({}, [&]() -> int { return live_apart(watched, processes); }));
  const inspect::Process facts = TRY(inspect::Process::open(made.process_.pid()));
  const proc::Stat stat = TRY(facts.stat());
  tracking.keeper = made.process_.pid().value();
  tracking.keeper_start = stat.start_time;
  return made;
}

}  // namespace umbel::checkpoint
