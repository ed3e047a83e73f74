// The first process is a child of umbel that waits until it is seized; every other is made by its
// own parent with CLONE_PTRACE, which hands the tracer on and stops the child before it has run one
// instruction. A child is born into its parent's session of that moment: so children of the session
// that the parent was born in come before the parent's setsid(2), and all others after.
#include "checkpoint/tasks/tasks.h"

#include <fcntl.h>
#include <linux/ptrace.h>
#include <linux/sched.h>

#include <algorithm>
#include <ranges>

#include "checkpoint/freeze/tree.h"
#include "checkpoint/resource/terminal.h"
#include "checkpoint/tasks/build.h"
#include "inspect/process.h"
#include "sys/file.h"
#include "sys/ptrace.h"

namespace umbel::checkpoint {

namespace {

namespace call = remote::call;

bool has_filters(const image::Tree& tree) {
  return std::ranges::any_of(tree.processes, [](const image::Process& process) {
    return std::ranges::any_of(
        process.threads, [](const image::Thread& thread) { return thread.seccomp.mode != 0; });
  });
}

// What the first process does until umbel takes it over. Should umbel be killed before that, the
// pipe ends, and so does the process.
int wait_for_tracer(sys::Pipe& alive) {
  alive.write = Fd();
  char none = 0;
  (void)sys::read(alive.read, {&none, 1});
  return 1;
}

Failure pid_taken(Error error, InnerPid pid) {
  if (error.code != EEXIST) return Failure(std::move(error));
  error.detail = "process " + std::to_string(pid.value()) + " exists";
  error.cure =
      "end it, or restore in a pid namespace of its own; a process that has ended keeps its "
      "number until its parent waits for it";
  return Failure(std::move(error));
}

struct NewTask {
  std::uint64_t flags = 0;
  std::uint64_t exit_signal = 0;
};

remote::Call add_clone(remote::Batch& batch, InnerPid pid, const NewTask& how) {
  clone_args args{};
  args.flags = how.flags | CLONE_PTRACE;
  args.exit_signal = how.exit_signal;
  args.set_tid = batch.value(pid.value()).value();
  args.set_tid_size = 1;
  return batch.call(call::clone3, batch.value(args), sizeof args);
}

// Unmaps what it was born with, and takes back what the C library has registered with the kernel.
Result<void> strip(remote::Session& session, const Workplace& workplace) {
  constexpr std::uint64_t end_of_addresses = 0x7ffffffff000;
  constexpr int unregister = 1;
  remote::Batch batch = session.batch();
  const ptrace_rseq_configuration rseq = TRY(sys::get_rseq(session.thread().tid));
  if (rseq.rseq_abi_pointer != 0)
    batch.call(call::rseq, rseq.rseq_abi_pointer, rseq.rseq_abi_size, unregister, rseq.signature);
  batch.call(call::set_tid_address, 0);
  const std::uint64_t start = workplace.start().value(), end = start + workplace.size();
  batch.call(call::munmap, 0, start);
  batch.call(call::munmap, end, end_of_addresses - end);
  return session.run(batch);
}

Result<void> expect_stop(HostPid tid) {
  const sys::Stop stop = TRY(sys::wait_stop(tid));
  if (stop.ended())
    return fail("process " + std::to_string(tid.value()) + " ended while it was being made");
  return {};
}

void wait_ended(HostPid tid) {
  for (;;) {
    const Result<sys::Stop> stop = remote::persist([&] { return sys::wait_stop(tid); });
    if (!stop || stop->ended()) return;
  }
}

}  // namespace

Tasks::Tasks(Restore& restore, const Workplace& workplace)
    : restore_(restore), workplace_(workplace) {
  for (std::size_t i = 0; i < restore.tree.processes.size(); ++i)
    tasks_.push_back(std::make_unique<Task>(restore.tree.processes[i], workplace.scratch(i)));
}

// Those in the records and those that were made by a step which failed before it could say so.
std::vector<HostPid> Tasks::everybody() const {
  std::vector<HostPid> pids;
  if (!root_) return pids;
  if (Result<std::vector<HostPid>> found = tree_of(root_.pid())) pids = std::move(*found);
  for (const auto& task : tasks_)
    if (task->born() && std::ranges::find(pids, task->pid) == pids.end()) pids.push_back(task->pid);
  return pids;
}

Tasks::~Tasks() {
  // Each would be killed by the end of its tracer too, but who asks may go on living.
  const std::vector<HostPid> pids = everybody();
  for (const HostPid pid : pids) (void)sys::signal_process(pid, SIGKILL);
  for (const HostPid pid : std::views::reverse(pids)) {
    const Result<inspect::Process> process = inspect::Process::open(pid);
    const Result<std::vector<HostPid>> threads =
        process ? process->threads() : Result<std::vector<HostPid>>(std::vector{pid});
    if (!threads) continue;
    // The leader ends last, and the root is waited for by its owner.
    for (const HostPid tid : std::views::reverse(*threads))
      if (tid != root_.pid()) wait_ended(tid);
  }
}

Fd Tasks::keep() {
  tasks_.clear();
  return root_.detach();
}

Result<void> Tasks::make() {
  if (tasks_.empty()) return fail("the image has no process");
  TRY(make_root());
  TRY(settle(*tasks_.front(), InnerPid()));
  for (const auto& task : tasks_)
    if (!task->born())
      return fail("process " + std::to_string(task->record->pid.value()) +
                  " of the image has no parent in it");
  TRY(make_groups());
  TRY(set_foregrounds());
  for (const auto& task : tasks_)
    if (task->record->zombie) TRY(end_zombie(*task));
  return {};
}

Result<void> Tasks::make_root() {
  Task& root = *tasks_.front();
  const pid_t pid = root.record->pid.value();
  const std::uint64_t flags = restore_.options.sibling ? CLONE_PARENT : 0;
  sys::Pipe alive = TRY(sys::pipe(O_CLOEXEC));
  Result<sys::Process> started = sys::start({.flags = flags, .set_tid = {&pid, 1}},
                                            [&]() -> int { return wait_for_tracer(alive); });
  if (!started) return pid_taken(started.error(), root.record->pid);
  root_ = std::move(*started);
  std::uint32_t options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD;
  if (has_filters(restore_.tree)) options |= PTRACE_O_SUSPEND_SECCOMP;
  TRY(sys::seize(root_.pid(), options));
  TRY(sys::interrupt(root_.pid()));
  root.pid = root_.pid();
  root.threads = {root.pid};
  TRY(expect_stop(root.pid));
  root.memory = TRY(sys::open(cwd, "/proc/" + std::to_string(root.pid.value()) + "/mem", O_RDWR));
  remote::Session session = TRY(remote::Session::own(root.id(0), root.scratch));
  return strip(session, workplace_);
}

std::vector<Task*> Tasks::children(const Task& parent) const {
  std::vector<Task*> found;
  for (const auto& task : tasks_)
    if (task.get() != tasks_.front().get() && task->record->parent == parent.record->pid)
      found.push_back(task.get());
  return found;
}

// The session in which a child has to be born: its own if it leads none, else the one that a
// descendant of it has from that time.
InnerPid Tasks::birth_session(const Task& task, InnerPid before, InnerPid after) const {
  if (task.record->session != task.record->pid) return task.record->session;
  for (const Task* child : children(task)) {
    if (child->record->session == task.record->session) continue;
    const InnerPid wanted = birth_session(*child, before, after);
    if (wanted == before || wanted == after) return wanted;
  }
  return after;
}

Result<void> Tasks::settle(Task& task, InnerPid born_session) {
  const image::Process& record = *task.record;
  std::vector<Task*> early, late;
  for (Task* child : children(task)) {
    const InnerPid wanted = birth_session(*child, born_session, record.session);
    if (wanted == record.session)
      late.push_back(child);
    else if (wanted == born_session)
      early.push_back(child);
    else
      return fail("process " + std::to_string(child->record->pid.value()) + " is of session " +
                      std::to_string(wanted.value()) + ", whose leader has ended",
                  "this can't be restored yet");
  }
  TRY(give_memory_to_pass_on(task));
  TRY(make_children(task, early));
  for (Task* child : early) TRY(settle(*child, born_session));
  if (record.session == record.pid && record.session != born_session) {
    remote::Session session = TRY(remote::Session::own(task.id(0), task.scratch));
    remote::Batch batch = session.batch();
    batch.call(call::setsid);
    Inside in{.restore = restore_, .process = record, .session = session, .batch = batch};
    TRY(restore_controlling(in));
    TRY(session.run(batch));
  }
  TRY(make_children(task, late));
  for (Task* child : late) TRY(settle(*child, record.session));
  return {};
}

// A parent whose children still have pages of it has them before they are born.
Result<void> Tasks::give_memory_to_pass_on(Task& task) {
  const auto wanted = children(task);
  if (std::ranges::all_of(
          wanted, [](const Task* child) { return child->record->memory.with_parent.empty(); }))
    return {};
  const std::string step = "giving memory to process " + std::to_string(task.record->pid.value());
  TRY(during(step, build_mappings(restore_, task, workplace_)));
  TRY(during(step, fill_memory(restore_, task)));
  for (Task* child : wanted) child->inherited = &task.record->memory;
  return {};
}

Result<void> Tasks::set_foregrounds() {
  for (const auto& task : tasks_) {
    if (task->record->session != task->record->pid) continue;
    remote::Session session = TRY(remote::Session::own(task->id(0), task->scratch));
    remote::Batch batch = session.batch();
    Inside in{.restore = restore_, .process = *task->record, .session = session, .batch = batch};
    TRY(restore_foreground(in));
    TRY(session.run(batch));
  }
  return {};
}

Result<void> Tasks::make_children(Task& parent, const std::vector<Task*>& wanted) {
  std::span<Task* const> left = wanted;
  while (!left.empty()) {
    remote::Session session = TRY(remote::Session::own(parent.id(0), parent.scratch));
    remote::Batch batch = session.batch();
    std::vector<remote::Call> calls;
    while (calls.size() < left.size() && batch.fits(1, 256)) {
      const image::Process& record = *left[calls.size()]->record;
      calls.push_back(add_clone(batch, record.pid,
                                {.exit_signal = static_cast<std::uint64_t>(record.exit_signal)}));
    }
    const Result<void> made = session.run(batch);
    for (std::size_t i = 0; i < calls.size(); ++i) {
      if (!batch.was_made(calls[i])) break;
      const Result<std::uint64_t> pid = batch.answer(calls[i]);
      if (!pid) return pid_taken(pid.error(), left[i]->record->pid);
      left[i]->pid = HostPid(static_cast<std::int32_t>(*pid));
      TRY(arrived(*left[i]));
    }
    TRY(made);
    left = left.subspan(calls.size());
  }
  return {};
}

Result<void> Tasks::arrived(Task& task) {
  task.threads = {task.pid};
  TRY(expect_stop(task.pid));
  task.memory = TRY(sys::open(cwd, "/proc/" + std::to_string(task.pid.value()) + "/mem", O_RDWR));
  return {};
}

Result<void> Tasks::make_groups() {
  // Leaders first: a group is there once its leader is in it.
  for (const bool leaders : {true, false})
    for (const auto& task : tasks_) {
      const image::Process& record = *task->record;
      const bool leads = record.group == record.pid;
      if (leads != leaders || record.session == record.pid || !record.group) continue;
      remote::Session session = TRY(remote::Session::own(task->id(0), task->scratch));
      remote::Batch batch = session.batch();
      batch.call(call::setpgid, 0, record.group.value());
      TRY(during("joining process group " + std::to_string(record.group.value()),
                 session.run(batch)));
    }
  return {};
}

Result<void> Tasks::end_zombie(Task& task) {
  constexpr int signal_bits = 0x7f;
  const int signal = task.record->exit_code & signal_bits;
  remote::Session session = TRY(remote::Session::own(task.id(0), task.scratch));
  if (signal != 0) {
    // Without a core: the one that there was, if any, was written then.
    remote::Batch batch = session.batch();
    const std::array<std::uint64_t, 2> none{};
    batch.call(call::prlimit64, 0, 4 /* RLIMIT_CORE */, batch.value(none), 0);
    const std::array<std::uint64_t, 4> by_default{};
    if (signal != SIGKILL) batch.call(call::rt_sigaction, signal, batch.value(by_default), 0, 8);
    TRY(session.run(batch));
    TRY(sys::set_signal_mask(task.pid, 0));
    TRY(sys::resume(task.pid, signal));
    if (signal == SIGKILL) TRY(sys::signal_thread(task.pid, task.pid, SIGKILL));
  } else {
    TRY(session.finish(call::exit_group, static_cast<std::uint64_t>(task.record->exit_code >> 8)));
  }
  for (;;) {
    const sys::Stop stop = TRY(sys::wait_stop(task.pid));
    if (stop.ended()) return {};
    TRY(sys::resume(task.pid));
  }
}

}  // namespace umbel::checkpoint
