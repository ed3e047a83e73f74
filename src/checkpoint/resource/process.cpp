// PR_SET_MM_MAP takes the whole layout in one go: start and end of code, data, heap, stack,
// arguments and environment, the auxiliary vector and the executable, which may change once only
// after nothing of the old one is mapped any more. The kernel holds each against the mappings, so
// they must be there already.
#include "checkpoint/resource/process.h"

#include <linux/prctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <array>

#include "base/text.h"
#include "sys/file.h"
#include "sys/procfs.h"

#ifndef PR_GET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif

namespace umbel::checkpoint {

namespace {

namespace call = remote::call;

constexpr std::size_t limit_count = 16;

// In the order of the RLIMIT_ constants, as /proc/PID/limits names them.
constexpr std::array<std::string_view, limit_count> limit_names{
    "Max cpu time",       "Max file size",     "Max data size",         "Max stack size",
    "Max core file size", "Max resident set",  "Max processes",         "Max open files",
    "Max locked memory",  "Max address space", "Max file locks",        "Max pending signals",
    "Max msgqueue size",  "Max nice priority", "Max realtime priority", "Max realtime timeout"};

std::uint64_t limit_value(std::string_view word) {
  return unsigned_number(word).value_or(RLIM_INFINITY);
}

// prlimit(2) of another user's process wants CAP_SYS_RESOURCE; reading this file does not.
Result<std::vector<image::Limit>> limits_of(const inspect::Process& facts) {
  const std::string text = TRY(facts.text("limits"));
  std::vector<image::Limit> limits(limit_count);
  for (const std::string_view line : split(text, '\n'))
    for (std::size_t i = 0; i < limit_count; ++i) {
      if (!line.starts_with(limit_names[i])) continue;
      const auto rest = words(line.substr(limit_names[i].size()));
      if (rest.size() >= 2) limits[i] = {limit_value(rest[0]), limit_value(rest[1])};
    }
  return limits;
}

Result<image::Layout> layout_of(const Process& process) {
  const proc::Stat& stat = process.stat;
  image::Layout layout{.start_code = stat.start_code,
                       .end_code = stat.end_code,
                       .start_data = stat.start_data,
                       .end_data = stat.end_data,
                       .start_brk = stat.start_brk,
                       .start_stack = stat.start_stack,
                       .arg_start = stat.arg_start,
                       .arg_end = stat.arg_end,
                       .env_start = stat.env_start,
                       .env_end = stat.env_end};
  const std::string auxiliary = TRY(process.facts.text("auxv"));
  layout.auxiliary.assign(auxiliary.begin(), auxiliary.end());
  return layout;
}

// struct prctl_mm_map of linux/prctl.h.
prctl_mm_map mm_map(const image::Layout& layout, remote::Pointer auxiliary, int executable) {
  prctl_mm_map map{};
  map.start_code = layout.start_code;
  map.end_code = layout.end_code;
  map.start_data = layout.start_data;
  map.end_data = layout.end_data;
  map.start_brk = layout.start_brk;
  map.brk = layout.brk;
  map.start_stack = layout.start_stack;
  map.arg_start = layout.arg_start;
  map.arg_end = layout.arg_end;
  map.env_start = layout.env_start;
  map.env_end = layout.env_end;
  map.auxv = reinterpret_cast<__u64*>(auxiliary.value());
  map.auxv_size = static_cast<std::uint32_t>(layout.auxiliary.size());
  map.exe_fd = static_cast<std::uint32_t>(executable);
  return map;
}

// Where the restore itself has its root: nothing to change, and no privilege needed.
bool is_top(const image::File& root) {
  const Value* path = root.state.find("path");
  return path != nullptr && *path == Value("/");
}

}  // namespace

Result<void> dump_process(ProcessDump& process) {
  const Process& frozen = *process.process;
  image::Process& record = process.record;
  record.name = frozen.stat.name;
  record.exit_signal = frozen.stat.exit_signal;
  record.stopped_by = frozen.threads.front().stopped_by;
  record.umask = static_cast<std::uint32_t>(TRY(process.statuses.front().number("Umask", 8)));
  record.limits = TRY(limits_of(frozen.facts));
  record.memory.layout = TRY(layout_of(frozen));
  const std::string score = TRY(frozen.facts.text("oom_score_adj"));
  record.oom_score_adjustment = static_cast<std::int32_t>(number(trimmed(score)).value_or(0));
  return {};
}

ProcessAnswers ask_process(remote::Batch& batch) {
  ProcessAnswers answers;
  answers.subreaper = batch.room(sizeof(int));
  batch.call(call::prctl, PR_GET_CHILD_SUBREAPER, answers.subreaper);
  answers.dumpable = batch.call(call::prctl, PR_GET_DUMPABLE);
  answers.thp_disabled = batch.call(call::prctl, PR_GET_THP_DISABLE, 0, 0, 0, 0);
  // Linux 6.3.
  answers.memory_deny_write_execute = batch.attempt(call::prctl, PR_GET_MDWE, 0, 0, 0, 0);
  answers.brk = batch.call(call::brk, 0);
  return answers;
}

Result<void> read_answers(const remote::Batch& batch, const ProcessAnswers& answers,
                          image::Process& record) {
  record.child_subreaper = batch.get<int>(answers.subreaper) != 0;
  record.dumpable = static_cast<std::uint32_t>(TRY(batch.answer(answers.dumpable)));
  record.thp_disabled = TRY(batch.answer(answers.thp_disabled)) != 0;
  const auto denied = batch.answer(answers.memory_deny_write_execute);
  record.memory_deny_write_execute = denied ? static_cast<std::uint32_t>(*denied) : 0;
  record.memory.layout.brk = TRY(batch.answer(answers.brk));
  return {};
}

Result<void> restore_process(Inside& in) {
  const image::Process& process = in.process;
  const image::Layout& layout = process.memory.layout;
  const FdRef executable = TRY(in.restore.file(process.memory.executable));
  const FdRef working = TRY(in.restore.file(process.working_directory));
  const FdRef root = TRY(in.restore.file(process.root));
  TRY(in.session.make_room(in.batch, 16, layout.auxiliary.size() + 1024));
  const remote::Pointer auxiliary = in.batch.bytes(layout.auxiliary);
  const prctl_mm_map map = mm_map(layout, auxiliary, executable.number());
  in.batch.call(call::prctl, PR_SET_MM, PR_SET_MM_MAP, in.batch.value(map), sizeof map, 0);
  if (!is_top(in.restore.tree.files[process.root])) {
    in.batch.call(call::fchdir, root.number());
    in.batch.call(call::chroot, in.batch.text("."));
  }
  in.batch.call(call::fchdir, working.number());
  in.batch.call(call::umask, process.umask);
  if (process.child_subreaper) in.batch.call(call::prctl, PR_SET_CHILD_SUBREAPER, 1);
  if (process.thp_disabled) in.batch.call(call::prctl, PR_SET_THP_DISABLE, 1, 0, 0, 0);
  return {};
}

void restore_dumpable(Inside& in) {
  constexpr std::uint32_t settable = 1;  // 2 can only be had by the kernel's own doing
  if (in.process.dumpable <= settable)
    in.batch.call(call::prctl, PR_SET_DUMPABLE, in.process.dumpable);
  if (in.process.memory_deny_write_execute != 0)
    in.batch.call(call::prctl, PR_SET_MDWE, in.process.memory_deny_write_execute, 0, 0, 0);
}

Result<void> restore_outside(HostPid pid, const image::Process& process) {
  const std::string path = sys::proc_path(std::to_string(pid.value()) + "/oom_score_adj");
  const std::string now = TRY(sys::read_file(cwd, path));
  const std::string wanted = std::to_string(process.oom_score_adjustment);
  if (trimmed(now) == wanted) return {};
  return during("setting the oom score", sys::write_file(cwd, path, wanted));
}

Result<void> restore_limits(Inside& in) {
  TRY(in.session.make_room(in.batch, limit_count, limit_count * 32));
  for (std::size_t i = 0; i < in.process.limits.size(); ++i)
    in.batch.call(call::prlimit64, 0, i, in.batch.value(in.process.limits[i]), 0);
  return {};
}

}  // namespace umbel::checkpoint
