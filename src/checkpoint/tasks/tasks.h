// The processes of an image on their way to be what it says: born bare, traced, and made to call.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "checkpoint/cradle.h"
#include "checkpoint/resource/context.h"
#include "checkpoint/tasks/workplace.h"
#include "sys/process.h"

namespace umbel::checkpoint {

struct Task {
  Task(const image::Process& record_, remote::Scratch scratch_)
      : record(&record_), scratch(scratch_) {}
  const image::Process* record;
  remote::Scratch scratch;
  HostPid pid;
  Fd memory;                     // /proc/PID/mem
  std::vector<HostPid> threads;  // as in the record, the leader first
  bool has_memory = false;       // mapped and filled
  bool leader_ended = false;
  // The parent had its memory when this was born.
  const image::Memory* inherited = nullptr;

  bool born() const { return pid.value() != 0; }
  remote::ThreadId id(std::size_t thread) const {
    return {.tid = threads[thread],
            .inner_pid = record->pid,
            .inner_tid = thread == 0 && !leader_ended ? record->pid : record->threads[thread].tid};
  }
};

// Where the first of them come from, if not from umbel itself.
struct Birth {
  Bearer bearer;
  FdRef line;   // on which umbel hands over open files
  int end = 0;  // the number of the line's other end in the bearer
};

// All tasks of a restore, parents first. What was not kept is killed in the end.
class Tasks {
 public:
  Tasks(Restore& restore, const Workplace& workplace, std::optional<Birth> birth);
  Tasks(const Tasks&) = delete;
  Tasks& operator=(const Tasks&) = delete;
  ~Tasks();

  // Every process, with nothing in its memory but the workplace, in its session and group; zombies
  // have ended.
  Result<void> make();
  const std::vector<std::unique_ptr<Task>>& all() const { return tasks_; }
  // Gives the root up to the caller; nobody is killed any more.
  Fd keep();

 private:
  std::vector<HostPid> everybody() const;
  Result<void> make_root();
  Result<void> start_root(Task& root);
  Result<void> take_bearer(Task& root);
  Result<void> bear_root(Task& root);
  Result<void> hand_over_files(Task& root);
  std::uint32_t trace_options() const;
  // Those whose parent is not in the image but the reaper.
  Result<void> make_siblings();
  // Gives the task its session, and its children in between.
  Result<void> settle(Task& task, InnerPid born_session);
  Result<void> give_memory_to_pass_on(Task& task);
  Result<void> make_children(Task& parent, const std::vector<Task*>& children);
  Result<void> arrived(Task& task);
  Result<void> make_groups();
  Result<void> set_foregrounds();
  Result<void> end_zombie(Task& task);
  InnerPid birth_session(const Task& task, InnerPid before, InnerPid after) const;
  std::vector<Task*> children(const Task& parent) const;

  Restore& restore_;
  const Workplace& workplace_;
  const std::optional<Birth> birth_;
  std::vector<std::unique_ptr<Task>> tasks_;
  sys::Process root_;
};

}  // namespace umbel::checkpoint
