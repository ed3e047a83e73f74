// A restore from its first look to its last word. Whatever can be found out or opened without a
// process is done before the first one is born; from then on everything that exists is killed if a
// step fails, until all of them are let go at the end.
#include "checkpoint/restore.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#include "checkpoint/freeze/crew.h"
#include "checkpoint/memory/copy.h"
#include "checkpoint/memory/shared.h"
#include "checkpoint/resource/context.h"
#include "checkpoint/resource/credentials.h"
#include "checkpoint/resource/file_kind.h"
#include "checkpoint/resource/open_files.h"
#include "checkpoint/tasks/build.h"
#include "checkpoint/tasks/guard.h"
#include "checkpoint/tasks/tasks.h"
#include "checkpoint/tasks/workplace.h"
#include "inspect/process.h"
#include "sys/descriptor.h"
#include "sys/file.h"
#include "sys/identity.h"

namespace umbel::checkpoint {

namespace {

using Clock = std::chrono::steady_clock;

std::chrono::microseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
}

// Above every number that a process of the image wants.
Result<void> choose_numbers(Restore& restore) {
  const image::Tree& tree = restore.tree;
  int highest = 2;
  for (const image::Process& process : tree.processes)
    for (const image::Descriptor& descriptor : process.descriptors)
      highest = std::max(highest, descriptor.number);
  for (const image::File& file : tree.files) {
    const FileKind* kind = find_kind(file.kind);
    if (kind != nullptr && kind->highest != nullptr)
      highest = std::max(highest, TRY(kind->highest(file.state)));
  }
  const std::uint64_t limit = TRY(sys::raise_descriptor_limit());
  const std::uint64_t needed = static_cast<std::uint64_t>(highest) + tree.files.size() * 3 +
                               tree.shared.size() + tree.objects.size() * 2 + 64;
  if (needed > limit)
    return fail("the restore needs " + std::to_string(needed) + " descriptors and may have " +
                    std::to_string(limit),
                "raise the limit of open files (ulimit -n)");
  restore.first_number = highest + 1;
  restore.descriptor_limit = limit;
  return {};
}

// Everything that processes inherit has to be there before the first of them.
Result<void> open_files(Restore& restore) {
  for (std::uint32_t i = 0; i < restore.tree.files.size(); ++i) TRY(restore.file(i));
  for (std::uint32_t i = 0; i < restore.tree.shared.size(); ++i) TRY(restore_shared(restore, i));
  return {};
}

Result<image::Credentials> own_credentials() {
  const inspect::Process self = TRY(inspect::Process::open(sys::own_pid()));
  const proc::Keyed status = TRY(self.status());
  return credentials_of(status);
}

// Filling needs no tracer: processes are filled side by side.
Result<void> fill(Restore& restore, const Tasks& tasks) {
  std::atomic<std::size_t> next = 0;
  Crew crew(crew_size(tasks.all().size()));
  return crew.each([&](unsigned) -> Result<void> {
    for (std::size_t i = next++; i < tasks.all().size(); i = next++) {
      Task& task = *tasks.all()[i];
      if (!task.record->zombie && !task.has_memory) TRY(fill_memory(restore, task));
    }
    return {};
  });
}

template <class Step>
Result<void> each_living(const Tasks& tasks, std::string_view what, Step step) {
  for (const auto& task : tasks.all())
    if (!task->record->zombie)
      TRY(during(std::string(what) + " process " + std::to_string(task->record->pid.value()) +
                     " (" + task->record->name + ")",
                 step(*task)));
  return {};
}

Result<void> let_all_run(const Tasks& tasks) {
  const auto living =
      std::ranges::count_if(tasks.all(), [](const auto& task) { return !task->record->zombie; });
  // The threads of one process end together anyway.
  std::optional<Guard> guard;
  if (living > 1) guard = TRY(Guard::start(tasks));
  // Children first, so that a parent which looks at once finds them at work.
  for (auto task = tasks.all().rbegin(); task != tasks.all().rend(); ++task)
    if (!(*task)->record->zombie) TRY(let_run(**task));
  return guard ? guard->dismiss() : Result<void>();
}

}  // namespace

namespace {

struct Start {
  const Workplace* workplace = nullptr;  // none: made when it is needed
  std::optional<Birth> birth;
};

Result<Restored> restore_tree(const RestoreOptions& options, const image::Reader& reader,
                              image::Tree tree, Start how) {
  const Clock::time_point start = Clock::now();
  Restored restored;
  Restore restore(options, reader, std::move(tree));
  const image::Credentials own = TRY(own_credentials());
  TRY(choose_numbers(restore));
  // By a process that has no descriptor of the program's, whose ends would be held open by it.
  restore.segments = TRY(Segments::make(restore.tree.shared));
  TRY(open_files(restore));
  if (options.at) TRY(options.at(Stage::pre_restore, HostPid()));

  std::optional<Workplace> own_workplace;
  if (how.workplace == nullptr) own_workplace = TRY(Workplace::make(restore.tree));
  const Workplace& workplace = how.workplace == nullptr ? *own_workplace : *how.workplace;
  // From here on there are processes; all end with `tasks` unless it is told to keep them.
  Tasks tasks(restore, workplace, how.birth);
  const Clock::time_point forking = Clock::now();
  TRY(tasks.make());
  restored.statistics.forking = since(forking);
  TRY(each_living(tasks, "mapping the memory of", [&](Task& task) {
    return task.has_memory ? Result<void>() : build_mappings(restore, task, workplace);
  }));
  TRY(restore.segments.mark_removed());
  TRY(fill(restore, tasks));
  TRY(each_living(tasks, "making the threads of",
                  [&](Task& task) { return build_threads(restore, task); }));
  restored.statistics.pages_restored = restore.pages;
  TRY(settle_files(restore));
  TRY(each_living(tasks, "putting back",
                  [&](Task& task) { return build_rest(restore, task, own); }));
  restored.root = tasks.all().front()->pid;
  if (options.at) TRY(options.at(Stage::post_restore, restored.root));
  TRY(each_living(tasks, "finishing",
                  [&](Task& task) { return build_end(restore, task, workplace); }));
  if (options.at) TRY(options.at(Stage::pre_resume, restored.root));
  TRY(restore.do_last());
  TRY(let_all_run(tasks));
  restored.statistics.processes = restore.tree.processes.size();
  for (const image::Process& process : restore.tree.processes)
    restored.statistics.threads += process.threads.size();
  restored.pidfd = tasks.keep();
  restore.segments.keep();
  for (const std::string& link : restore.links) (void)sys::remove_file(cwd, link);
  if (options.at) TRY(options.at(Stage::post_resume, restored.root));
  restored.statistics.total = since(start);
  return restored;
}

}  // namespace

Result<Restored> restore(const RestoreOptions& options, const image::Reader& reader) {
  image::Tree tree = TRY(image::tree_in(reader));
  if (tree.reaper)
    return fail("the image is of a container, whose init is not in it",
                "umbel restore brings it back");
  return restore_tree(options, reader, std::move(tree), {});
}

Result<Restored> restore(const RestoreOptions& options, const image::Reader& reader,
                         const Cradle& cradle, const Bearer& bearer) {
  return restore_tree(
      options, reader, cradle.tree(),
      {.workplace = &cradle.workplace(),
       .birth = Birth{.bearer = bearer, .line = cradle.giver(), .end = cradle.taker().number()}});
}

}  // namespace umbel::checkpoint
