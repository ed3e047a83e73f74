// The order has reasons. Memory before the layout, which the kernel holds against it. The
// executable before credentials, which may not suffice for it. Descriptors when nothing needs
// umbel's any more. Limits, then credentials, then timers and pending signals, whose time begins to
// run. Registers last: they lead out of the workplace.
#include "checkpoint/tasks/build.h"

#include <linux/sched.h>
#include <signal.h>

#include "checkpoint/memory/copy.h"
#include "checkpoint/memory/mappings.h"
#include "checkpoint/remote/injection.h"
#include "checkpoint/resource/file_kind.h"
#include "checkpoint/resource/locks.h"
#include "checkpoint/resource/open_files.h"
#include "checkpoint/resource/process.h"
#include "checkpoint/resource/signals.h"
#include "checkpoint/resource/thread.h"
#include "checkpoint/resource/timers.h"
#include "sys/ptrace.h"
#include "sys/wait.h"

namespace umbel::checkpoint {

namespace {

namespace call = remote::call;

// Untraced: a tracer would not hear of its end, nor its parent of the end of all, until the last
// thread has ended. And before its children have signals for the death of their parent.
Result<void> end_leader(Task& task, remote::Session& session) {
  constexpr int tries = 5000;
  constexpr auto pause = std::chrono::milliseconds(1);
  TRY(session.finish_alone(call::exit, static_cast<std::uint64_t>(task.record->exit_code >> 8)));
  const inspect::Process process = TRY(inspect::Process::open(task.pid));
  for (int i = 0; i < tries; ++i) {
    if (TRY(process.stat()).state == 'Z') {
      task.leader_ended = true;
      return {};
    }
    sys::sleep_for(pause);
  }
  return fail("the first thread of process " + std::to_string(task.pid.value()) +
              " does not end, as it should");
}

Result<void> make_threads(const Restore& restore, Task& task, remote::Session& session) {
  constexpr std::uint64_t flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                                  CLONE_SYSVSEM | CLONE_PTRACE;
  const auto& records = task.record->threads;
  std::vector<HostPid> threads;
  if (!task.record->leader_ended) threads = task.threads;
  while (threads.size() < records.size()) {
    remote::Batch batch = session.batch();
    std::vector<remote::Call> calls;
    for (std::size_t i = threads.size(); i < records.size() && batch.fits(1, 256); ++i) {
      clone_args args{};
      args.flags = flags;
      args.set_tid = batch.value(records[i].tid.value()).value();
      args.set_tid_size = 1;
      calls.push_back(batch.call(call::clone3, batch.value(args), sizeof args));
    }
    const Result<void> made = session.run(batch);
    for (const remote::Call& one : calls) {
      if (!batch.was_made(one)) break;
      const std::uint64_t tid = TRY(during("making a thread", batch.answer(one)));
      threads.push_back(TRY(restore.outside(static_cast<std::int32_t>(tid))));
      const sys::Stop stop = TRY(sys::wait_stop(threads.back()));
      if (stop.ended()) return fail("a new thread ended at once");
    }
    TRY(made);
  }
  if (task.record->leader_ended) TRY(end_leader(task, session));
  task.threads = std::move(threads);
  return {};
}

// What a kind of file has to have done by a process, by the first one that has it.
Result<void> finish_files(Inside& in) {
  for (const image::Descriptor& descriptor : in.process.descriptors) {
    const image::File& file = in.restore.tree.files[descriptor.file];
    const FileKind* kind = find_kind(file.kind);
    if (kind == nullptr || kind->inside == nullptr || !in.restore.first_use(descriptor.file))
      continue;
    TRY(in.session.make_room(in.batch, 8, 4096));
    TRY(kind->inside(in, file.state, descriptor.number));
  }
  return {};
}

std::vector<proc::Mapping> code_mappings(const image::Memory& memory) {
  constexpr std::uint32_t execute = 4;
  std::vector<proc::Mapping> found;
  for (const image::Mapping& mapping : memory.mappings)
    if ((mapping.protection & execute) != 0)
      found.push_back(
          {.start = mapping.start, .end = mapping.end, .execute = true, .path = mapping.name});
  return found;
}

}  // namespace

Result<void> build_mappings(Restore& restore, Task& task, const Workplace& workplace) {
  remote::Session session = TRY(remote::Session::own(task.id(0), task.scratch));
  remote::Batch batch = session.batch();
  Inside in{.restore = restore, .process = *task.record, .session = session, .batch = batch};
  std::optional<Heritage> heritage;
  if (task.inherited != nullptr)
    heritage.emplace(*task.inherited, workplace.start().value(), workplace.size());
  TRY(restore_mappings(in, heritage));
  return session.run(batch);
}

Result<void> fill_memory(Restore& restore, Task& task) {
  restore.pages += TRY(fill_pages(restore.reader, task.record->memory, task.pid, task.memory));
  task.has_memory = true;
  return {};
}

Result<void> build_threads(Restore& restore, Task& task) {
  const image::Process& record = *task.record;
  if (record.threads.size() == task.threads.size() && !record.leader_ended) return {};
  remote::Session session = TRY(remote::Session::own(task.id(0), task.scratch));
  return make_threads(restore, task, session);
}

Result<void> build_rest(Restore& restore, Task& task, const image::Credentials& own) {
  const image::Process& record = *task.record;
  remote::Session session = TRY(remote::Session::own(task.id(0), task.scratch));
  remote::Batch batch = session.batch();
  Inside in{.restore = restore, .process = record, .session = session, .batch = batch};
  TRY(finish_mappings(in));
  TRY(restore_process(in));
  TRY(restore_descriptors(in));
  TRY(finish_files(in));
  TRY(session.make_room(batch, 1));
  batch.call(call::close_range, restore.first_number, ~0U, 0);
  // Closing any descriptor of a file gives the process's locks on it up: so they come now.
  TRY(restore_locks(in));
  TRY(restore_signals(in));
  TRY(session.run(batch));
  TRY(restore_outside(task.pid, record));

  for (std::size_t i = task.threads.size(); i-- > 0;) {
    remote::Session thread = TRY(remote::Session::own(task.id(i), task.scratch));
    remote::Batch calls = thread.batch();
    Inside inside{.restore = restore, .process = record, .session = thread, .batch = calls};
    // The leader comes last: limits hold for all of the threads.
    if (i == 0) TRY(restore_limits(inside));
    TRY(restore_thread(thread, calls, record, record.threads[i], own));
    if (i == 0) {
      TRY(thread.make_room(calls, 4));
      restore_dumpable(inside);
    }
    TRY(thread.run(calls));
  }
  return {};
}

Result<void> build_end(Restore& restore, Task& task, const Workplace& workplace) {
  const image::Process& record = *task.record;
  {
    remote::Session session = TRY(remote::Session::own(
        task.id(0), task.scratch, remote::quiet_signal(pending_mask(record), 0)));
    remote::Batch batch = session.batch();
    Inside in{.restore = restore, .process = record, .session = session, .batch = batch};
    TRY(restore_timers(in));
    TRY(restore_pending(in));
    TRY(session.run(batch));
  }
  for (std::size_t i = 0; i < task.threads.size(); ++i)
    TRY(remote::write_cpu(task.threads[i], cpu_of(record.threads[i])));
  const remote::Cpu leader = cpu_of(record.threads.front());
  const auto code = code_mappings(record.memory);
  const remote::Pointer instruction = TRY(remote::find_system_call(code, task.memory));
  TRY(remote::single_call(task.threads.front(), leader, instruction, call::munmap,
                          {workplace.start(), workplace.size()}));
  return {};
}

Result<void> let_run(Task& task) {
  if (task.record->stopped_by != 0)
    TRY(sys::signal_thread(task.pid, task.threads.front(), task.record->stopped_by));
  for (const HostPid tid : task.threads) TRY(sys::detach(tid));
  return {};
}

}  // namespace umbel::checkpoint
