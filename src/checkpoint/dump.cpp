// A dump from its first look to its last word. The order keeps the time that the program stands
// still, and what can go wrong in it, small: whatever can't be carried is refused before anything
// is stopped, and again under the freeze, when nothing can change any more; the threads work for
// umbel in one batch of calls each and get their own state back before the long part, the copying
// of memory, begins.
#include "checkpoint/dump.h"

#include <fcntl.h>
#include <linux/kcmp.h>

#include <algorithm>
#include <optional>

#include "checkpoint/freeze/tree.h"
#include "checkpoint/memory/attached.h"
#include "checkpoint/memory/chain.h"
#include "checkpoint/memory/copy.h"
#include "checkpoint/memory/mappings.h"
#include "checkpoint/remote/injection.h"
#include "checkpoint/resource/context.h"
#include "checkpoint/resource/external.h"
#include "checkpoint/resource/open_files.h"
#include "checkpoint/resource/process.h"
#include "checkpoint/resource/signals.h"
#include "checkpoint/resource/tcp_socket.h"
#include "checkpoint/resource/thread.h"
#include "checkpoint/resource/timers.h"
#include "inspect/descriptors.h"
#include "sys/descriptor.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/process.h"

namespace umbel::checkpoint {

namespace {

using Clock = std::chrono::steady_clock;

std::chrono::microseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
}

// What shows from outside is refused while everything still runs. A process that changes meanwhile
// is looked at again when it stands still.
Result<void> look_before(const DumpOptions& options, const std::vector<HostPid>& pids) {
  for (const HostPid pid : pids) {
    const Result<inspect::Process> process = inspect::Process::open(pid);
    if (!process && pid == pids.front()) return Failure(process.error());
    if (!process) continue;
    const auto descriptors = inspect::descriptors(*process);
    if (!descriptors) continue;
    for (const inspect::Descriptor& descriptor : *descriptors)
      if (!external_name(options, descriptor)) TRY(inspect::verdict(*process, descriptor));
  }
  return {};
}

// ---- under the freeze ----

// Ids as the tree itself sees them; 0 is somebody outside.
InnerPid inner_or_none(const Dump& dump, std::int32_t pid) {
  return dump.inner(HostPid(pid)).value_or(InnerPid());
}

Result<void> check_family(const Dump& dump, const ProcessDump& process) {
  const proc::Stat& stat = process.process->stat;
  const HostPid root = dump.frozen.root().pid();
  const bool rooted = !dump.options.root_is_reaper;
  if (process.process->pid() == root && stat.session != root.value() && !dump.options.shell_job)
    return fail_with(EPERM,
                     process.process->named() + " belongs to session " +
                         std::to_string(stat.session) +
                         ", whose leader is outside of what is dumped",
                     "start it with setsid, or use --shell-job to have it join the session of "
                     "whoever restores it");
  const bool of_root = rooted && stat.session == dump.frozen.root().stat.session;
  if (!of_root && !dump.has(HostPid(stat.session)))
    return fail_with(EOPNOTSUPP,
                     process.process->named() + " belongs to session " +
                         std::to_string(stat.session) + ", whose leader has ended",
                     "such a session can't be made again: end the processes that are left of it");
  return {};
}

Result<void> check_sharing(const Process& process, const Process& parent) {
  struct Shared {
    int kind;
    std::string_view what;
  };
  static constexpr std::array kinds = std::to_array<Shared>({{KCMP_VM, "memory"},
                                                             {KCMP_FILES, "descriptors"},
                                                             {KCMP_FS, "its working directory"},
                                                             {KCMP_SIGHAND, "signal handlers"}});
  for (const auto& [kind, what] : kinds)
    if (TRY(sys::compare(process.alive(), parent.alive(), kind)) == 0)
      return fail_with(EOPNOTSUPP,
                       process.named() + " shares " + std::string(what) + " with " +
                           parent.named() + " without being a thread of it",
                       "processes made so (clone with CLONE_VM, CLONE_FILES, CLONE_FS) can't be "
                       "checkpointed");
  return {};
}

Result<void> check_namespaces(const Process& process, const Process& root) {
  for (const std::string& kind : TRY(sys::list(root.facts.dir(), "ns"))) {
    const std::string link = "ns/" + kind;
    const std::string wanted = TRY(root.facts.link(link)), got = TRY(process.facts.link(link));
    if (got == wanted) continue;
    std::string what = process.named();
    what.append(" is in a namespace of its own, ").append(got).append(", and ");
    what.append(root.named()).append(" in ").append(wanted);
    return fail_with(EOPNOTSUPP, std::move(what),
                     "end what made that namespace: nested ones can't be carried yet");
  }
  return {};
}

Result<void> describe_family(Dump& dump, ProcessDump& process) {
  const proc::Stat& stat = process.process->stat;
  TRY(check_family(dump, process));
  if (!process.process->zombie()) TRY(check_namespaces(*process.process, dump.frozen.root()));
  image::Process& record = process.record;
  record.pid = process.process->inner;
  record.parent = inner_or_none(dump, stat.parent);
  if (!dump.carries(HostPid(stat.parent)) && HostPid(stat.parent) == dump.frozen.root().pid())
    record.parent = dump.frozen.root().inner;
  record.group = inner_or_none(dump, stat.group);
  record.session = inner_or_none(dump, stat.session);
  record.zombie = process.process->zombie();
  record.exit_signal = stat.exit_signal;
  record.name = stat.name;
  if (record.zombie) record.exit_code = stat.exit_code;
  record.leader_ended = process.process->leader_ended;
  if (record.leader_ended)
    record.exit_code = TRY(process.process->facts.stat(process.process->pid())).exit_code;
  for (const auto& other : dump.frozen.processes())
    if (other->pid() == process.process->parent && !record.zombie && !other->zombie())
      TRY(check_sharing(*process.process, *other));
  return {};
}

// Reads all that shows without the process's help.
Result<void> look_at(ProcessDump& process) {
  const Process& frozen = *process.process;
  process.pidfd = TRY(descriptors_of(frozen));
  for (const Thread& thread : frozen.threads) {
    proc::Keyed status = TRY(frozen.facts.status(thread.id.tid));
    image::Thread& record = process.record.threads.emplace_back();
    remote::Cpu cpu = TRY(read_thread_cpu(frozen, thread, record));
    TRY(dump_thread(process, thread, status, record));
    process.cpus.push_back(std::move(cpu));
    process.statuses.push_back(std::move(status));
  }
  TRY(dump_process(process));
  TRY(dump_timers(frozen, process.record));
  process.mappings = TRY(frozen.facts.mappings(inspect::Process::Detail::smaps));
  process.descriptors = TRY(inspect::descriptors(frozen.facts));
  return {};
}

// The questions that only the process can answer, put to each of its threads.
Result<void> ask_leader(ProcessDump& process, remote::Session& session) {
  remote::Batch batch = session.batch();
  const ThreadAnswers thread = ask_thread(batch);
  const SignalAnswers signals = ask_signals(batch);
  const ProcessAnswers facts = ask_process(batch);
  TRY(session.run(batch));
  TRY(read_answers(batch, thread, process.record.threads.front()));
  read_answers(batch, signals, process.record);
  TRY(read_answers(batch, facts, process.record));
  batch.clear();
  const TimerAnswers timers = ask_timers(batch, process.record);
  TRY(session.run(batch));
  return read_answers(batch, timers, process.record);
}

Result<void> ask_other(image::Thread& record, remote::Session& session) {
  remote::Batch batch = session.batch();
  const ThreadAnswers answers = ask_thread(batch);
  TRY(session.run(batch));
  return read_answers(batch, answers, record);
}

Result<int> quiet_signal(const proc::Keyed& status) {
  const std::uint64_t pending = TRY(status.number("SigPnd", 16)) | TRY(status.number("ShdPnd", 16));
  const std::uint64_t caught = TRY(status.number("SigCgt", 16));
  return remote::quiet_signal(pending, caught);
}

Result<void> ask(ProcessDump& process) {
  Process& frozen = *process.process;
  remote::Injection injection = TRY(remote::Injection::install(
      frozen.threads.front().id, process.cpus.front(), process.mappings, frozen.memory));
  for (std::size_t i = 0; i < frozen.threads.size(); ++i) {
    Thread& thread = frozen.threads[i];
    const int signal = TRY(quiet_signal(process.statuses[i]));
    remote::Session session =
        TRY(remote::Session::enter(thread.id, injection.scratch(), process.cpus[i], signal));
    TRY(i == 0 ? ask_leader(process, session) : ask_other(process.record.threads[i], session));
    thread.held_signals = session.held_signals();
    TRY(session.leave());
  }
  TRY(dump_pending(frozen, process.record));
  return injection.remove();
}

Result<void> describe(Dump& dump, const Chain& chain) {
  for (const auto& process : dump.frozen.processes()) {
    if (!dump.carries(process->pid())) continue;
    auto& made = *dump.processes.emplace_back(std::make_unique<ProcessDump>());
    made.process = process.get();
    made.earlier = chain.find(*process) != nullptr;
  }
  for (const auto& process : dump.processes) TRY(describe_family(dump, *process));
  const auto find = [&](const Process& frozen) -> ProcessDump& {
    return **std::ranges::find(dump.processes, &frozen,
                               [](const auto& process) { return process->process; });
  };
  // On the threads that trace, at the same time: each process by itself.
  TRY(dump.frozen.each([&](Process& frozen) -> Result<void> {
    if (frozen.zombie() || !dump.carries(frozen.pid())) return {};
    ProcessDump& process = find(frozen);
    return during("looking at " + frozen.named(), look_at(process));
  }));
  // What processes have in common, by one thread.
  TRY(dump_open_files(dump));
  for (const auto& process : dump.processes) {
    if (process->record.zombie) continue;
    TRY(dump_paths(dump, *process));
    TRY(dump_mappings(dump, *process));
  }
  return dump.frozen.each([&](Process& frozen) -> Result<void> {
    if (frozen.zombie() || !dump.carries(frozen.pid())) return {};
    return during("asking " + frozen.named(), ask(find(frozen)));
  });
}

struct Written {
  std::mutex mutex;
  Copied total;
  std::vector<Watched> watched;
};

// Under the freeze, after its pages were copied.
Result<void> go_on_watching(const Chain& chain, const ProcessDump& process, Written& done) {
  const Process& frozen = *process.process;
  const image::Tracked* before = chain.find(frozen);
  Fd watcher =
      before != nullptr ? TRY(chain.watcher(*before)) : TRY(make_watcher(frozen, process.mappings));
  TRY(watch(frozen, process.mappings, watcher));
  const std::lock_guard lock(done.mutex);
  done.watched.push_back(
      {.process = &frozen, .watcher = std::move(watcher), .pages = process.record.memory.pages});
  return {};
}

std::optional<Parent> parent_of(const Dump& dump, const Process& child) {
  for (const auto& process : dump.processes)
    if (process->process->pid() == child.parent && !process->record.zombie)
      return Parent{.process = *process->process, .memory = process->record.memory};
  return std::nullopt;
}

Result<void> copy_memory(Dump& dump, const Chain& chain, Written& done) {
  const bool track = dump.options.track && dump.options.after != DumpOptions::After::kill;
  TRY(dump.frozen.each([&](Process& frozen) -> Result<void> {
    if (frozen.zombie()) return {};
    for (const auto& process : dump.processes) {
      if (process->process != &frozen) continue;
      const Earlier earlier = earlier_of(chain, frozen, process->mappings);
      const Copied copied = TRY(copy_pages(dump.writer, frozen, process->record.memory, earlier,
                                           parent_of(dump, frozen)));
      {
        const std::lock_guard lock(done.mutex);
        done.total += copied;
      }
      if (track) TRY(go_on_watching(chain, *process, done));
    }
    return {};
  }));
  return {};
}

Result<void> write_records(Dump& dump) {
  const sys::Names names = TRY(sys::names());
  const sys::Clock now = TRY(sys::clock_now(CLOCK_REALTIME));
  if (dump.options.root_is_reaper) dump.tree.reaper = dump.frozen.root().inner;
  dump.tree.root = dump.processes.front()->process->inner;
  dump.tree.machine = names.machine;
  dump.tree.kernel = names.release;
  dump.tree.host = names.host;
  dump.tree.taken = now.seconds;
  for (const auto& process : dump.processes)
    dump.tree.processes.push_back(std::move(process->record));
  TRY(dump.writer.add("tree", to_value(dump.tree)));
  if (dump.options.more) TRY(dump.options.more(dump.writer));
  return dump.writer.finish();
}

// Between vfork(2) and its child's execve(2) a parent can't stop, and if the child is stopped first
// neither goes on: then all are let go, which takes the end of the threads that trace, and tried
// again.
Result<Tree> freeze(const DumpOptions& options, std::size_t processes, std::optional<Crew>& crew) {
  const Clock::time_point until = Clock::now() + options.freeze_timeout;
  for (std::chrono::milliseconds at_most(250);; at_most *= 2) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    crew.emplace(crew_size(processes));
    Result<Tree> frozen =
        Tree::freeze({.root = options.root, .at_most = std::min(at_most, left)}, *crew);
    if (frozen || frozen.error().code != ETIMEDOUT || left <= at_most) return frozen;
    crew.reset();
  }
}

Result<void> let_go(Tree& tree, DumpOptions::After after) {
  switch (after) {
    case DumpOptions::After::kill:
      return tree.kill();
    case DumpOptions::After::run:
      return tree.release();
    case DumpOptions::After::stop:
      return tree.release_stopped();
  }
  return {};
}

}  // namespace

Result<DumpStatistics> dump(const DumpOptions& options, image::Writer& writer) {
  DumpStatistics statistics;
  if (options.at) TRY(options.at(Stage::pre_dump));
  Chain chain;
  if (options.parent != nullptr) chain = TRY(Chain::on(*options.parent));
  statistics.chain_broken = options.parent != nullptr && !chain.exists();
  const std::vector<HostPid> before = TRY(tree_of(options.root));
  TRY(look_before(options, before));

  const Clock::time_point start = Clock::now();
  std::optional<Crew> crew;
  Tree frozen = TRY(freeze(options, before.size(), crew));
  statistics.freezing = since(start);
  // From here on nothing of the tree changes.
  Dump dump(options, frozen, writer);
  if (options.root_is_reaper && frozen.processes().size() == 1)
    return fail_with(ESRCH, "no process is left but the init, " + frozen.root().named());
  TRY(describe(dump, chain));
  const Clock::time_point copying = Clock::now();
  Written written;
  TRY(copy_memory(dump, chain, written));
  statistics.copying = since(copying);
  statistics.pages_scanned = written.total.scanned;
  statistics.pages_written = written.total.written;
  statistics.pages_in_parent = written.total.in_parent;
  statistics.processes = dump.processes.size();
  for (const auto& process : dump.processes) statistics.threads += process->record.threads.size();
  const Clock::time_point writing = Clock::now();
  Keeper keeper;
  if (!written.watched.empty()) {
    keeper = TRY(Keeper::start(written.watched));
    TRY(writer.add("tracking", to_value(keeper.tracking())));
  }
  TRY(write_records(dump));
  keeper.let_go();
  TRY(chain.end());
  dump.keep_links();
  statistics.writing = since(writing);
  // The image is complete: only now may the originals end.
  if (options.at) TRY(options.at(Stage::post_dump));
  TRY(end_connections_silently(dump));
  TRY(let_go(frozen, options.after));
  if (options.after == DumpOptions::After::kill) {
    dump.processes_have_ended();
    remove_segments(dump.tree);
  }
  statistics.frozen = since(start);
  return statistics;
}

}  // namespace umbel::checkpoint
