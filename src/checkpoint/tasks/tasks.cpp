// The first process is a child of umbel that waits until it is seized; every other is made by its
// own parent with CLONE_PTRACE, which hands the tracer on and stops the child before it has run one
// instruction. A child is born into its parent's session of that moment: so children of the session
// that the parent was born in come before the parent's setsid(2), and all others after.
#include "checkpoint/tasks/tasks.h"

#include <fcntl.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <ranges>

#include "checkpoint/freeze/tree.h"
#include "checkpoint/resource/terminal.h"
#include "checkpoint/tasks/build.h"
#include "inspect/process.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/procfs.h"
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

// Takes a descriptor off the line at number `end`, and gives it its number.
void add_receive(remote::Batch& batch, int end, int number) {
  const remote::Pointer byte = batch.room(1);
  const iovec data{.iov_base = reinterpret_cast<void*>(byte.value()), .iov_len = 1};
  const remote::Pointer control = batch.room(CMSG_SPACE(sizeof(int)));
  const msghdr message{.msg_iov = reinterpret_cast<iovec*>(batch.value(data).value()),
                       .msg_iovlen = 1,
                       .msg_control = reinterpret_cast<void*>(control.value()),
                       .msg_controllen = CMSG_SPACE(sizeof(int))};
  batch.call(call::recvmsg, end, batch.value(message), 0);
  batch.call(call::dup3, 0, number, 0);
  batch.call(call::close, 0);
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

Tasks::Tasks(Restore& restore, const Workplace& workplace, std::optional<Birth> birth)
    : restore_(restore), workplace_(workplace), birth_(birth) {
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
  TRY(make_siblings());
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

std::uint32_t Tasks::trace_options() const {
  const std::uint32_t always = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD;
  return has_filters(restore_.tree) ? always | PTRACE_O_SUSPEND_SECCOMP : always;
}

Result<void> Tasks::make_root() {
  Task& root = *tasks_.front();
  if (birth_)
    restore_.pids = TRY(sys::open(
        cwd, sys::proc_path(std::to_string(birth_->bearer.pid.value()) + "/ns/pid"), O_RDONLY));
  if (!birth_)
    TRY(start_root(root));
  else if (birth_->bearer.role == Bearer::Role::first)
    TRY(take_bearer(root));
  else
    TRY(bear_root(root));
  TRY(arrived(root));
  {
    remote::Session session = TRY(remote::Session::own(root.id(0), root.scratch));
    TRY(strip(session, workplace_));
  }
  return birth_ ? hand_over_files(root) : Result<void>();
}

Result<void> Tasks::start_root(Task& root) {
  const pid_t pid = root.record->pid.value();
  const std::uint64_t flags = restore_.options.sibling ? CLONE_PARENT : 0;
  sys::Pipe alive = TRY(sys::pipe(O_CLOEXEC));
  Result<sys::Process> started = sys::start({.flags = flags, .set_tid = {&pid, 1}},
                                            [&]() -> int { return wait_for_tracer(alive); });
  if (!started) return pid_taken(started.error(), root.record->pid);
  root_ = std::move(*started);
  root.pid = root_.pid();
  TRY(sys::seize(root.pid, trace_options()));
  return sys::interrupt(root.pid);
}

Result<void> Tasks::take_bearer(Task& root) {
  Fd pidfd = TRY(sys::pidfd_open(birth_->bearer.pid));
  TRY(sys::seize(birth_->bearer.pid, trace_options()));
  root_ = sys::Process(birth_->bearer.pid, std::move(pidfd));
  root.pid = root_.pid();
  return sys::interrupt(root.pid);
}

// The bearer makes one call for it, in the memory that it has in common with this process, and goes
// on with what it was doing.
Result<void> Tasks::bear_root(Task& root) {
  const HostPid bearer = birth_->bearer.pid;
  TRY(sys::seize(bearer, trace_options()));
  TRY(sys::interrupt(bearer));
  TRY(expect_stop(bearer));
  const remote::Cpu before = TRY(remote::read_cpu(bearer));
  {
    remote::Scratch scratch = workplace_.scratch(tasks_.size());
    const InnerPid inner = restore_.tree.reaper;
    remote::Session session =
        TRY(remote::Session::own({.tid = bearer, .inner_pid = inner, .inner_tid = inner}, scratch));
    remote::Batch batch = session.batch();
    const remote::Call clone = add_clone(batch, root.record->pid, {.exit_signal = SIGCHLD});
    const Result<void> made = session.run(batch);
    if (!made && batch.was_made(clone)) return pid_taken(made.error(), root.record->pid);
    TRY(Result<void>(made));
    root.pid = TRY(restore_.outside(static_cast<std::int32_t>(TRY(batch.answer(clone)))));
  }
  Fd pidfd = TRY(sys::pidfd_open(root.pid));
  root_ = sys::Process(root.pid, std::move(pidfd));
  TRY(remote::put_back(bearer, before));
  return sys::detach(bearer);
}

// It was born with the bearer's descriptors and gets the restore's instead, each under the number
// that it has here. A descriptor arrives under the lowest free number, 0, and is moved.
Result<void> Tasks::hand_over_files(Task& root) {
  constexpr std::size_t at_once = 32;
  const int end = restore_.first_number - 1;
  remote::Session session = TRY(remote::Session::own(root.id(0), root.scratch));
  remote::Batch batch = session.batch();
  const std::array<std::uint64_t, 2> most{restore_.descriptor_limit, restore_.descriptor_limit};
  batch.call(call::prlimit64, 0, 7 /* RLIMIT_NOFILE */, batch.value(most), 0);
  if (birth_->end != end) batch.call(call::dup3, birth_->end, end, 0);
  batch.call(call::close_range, 0, end - 1, 0);
  batch.call(call::close_range, end + 1, ~0U, 0);
  TRY(session.run(batch));
  const std::vector<int> numbers = restore_.numbers();
  for (std::size_t first = 0; first < numbers.size(); first += at_once) {
    batch.clear();
    const auto some = std::span(numbers).subspan(first, std::min(at_once, numbers.size() - first));
    for (const int number : some) {
      const FdRef file{number};
      TRY(sys::send(birth_->line, ".", std::span(&file, 1)));
      add_receive(batch, end, number);
    }
    TRY(session.run(batch));
  }
  batch.clear();
  batch.call(call::close, end);
  return session.run(batch);
}

Result<void> Tasks::make_siblings() {
  Task& root = *tasks_.front();
  for (const auto& task : tasks_) {
    const image::Process& record = *task->record;
    if (!restore_.tree.reaper || record.parent != restore_.tree.reaper || task->born()) continue;
    if (record.session != record.pid && record.session != root.record->session)
      return fail("process " + std::to_string(record.pid.value()) + " is of session " +
                      std::to_string(record.session.value()) + ", which its parent is not in",
                  "this can't be restored yet");
    // Children of its own parent, that is.
    remote::Session session = TRY(remote::Session::own(root.id(0), root.scratch));
    remote::Batch batch = session.batch();
    const remote::Call clone = add_clone(batch, record.pid, {.flags = CLONE_PARENT});
    const Result<void> made = session.run(batch);
    if (!made) return pid_taken(made.error(), record.pid);
    task->pid = TRY(restore_.outside(static_cast<std::int32_t>(TRY(batch.answer(clone)))));
    TRY(arrived(*task));
    {
      // The root may have its memory already.
      remote::Session own = TRY(remote::Session::own(task->id(0), task->scratch));
      TRY(strip(own, workplace_));
    }
    TRY(settle(*task, root.record->session));
  }
  return {};
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
  // Without its own, it passes on what it was born with.
  for (Task* child : wanted) child->inherited = task.inherited;
  if (std::ranges::all_of(
          wanted, [](const Task* child) { return child->record->memory.with_parent.empty(); })) {
    // They are born with what this one still has of its own parent.
    for (Task* child : wanted) child->inherited = task.inherited;
    return {};
  }
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
      left[i]->pid = TRY(restore_.outside(static_cast<std::int32_t>(*pid)));
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
  task.memory =
      TRY(sys::open(cwd, sys::proc_path(std::to_string(task.pid.value()) + "/mem"), O_RDWR));
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
