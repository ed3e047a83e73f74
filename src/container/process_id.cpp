// proc_pid_stat(5): field 3 is the state, field 22 the start time; field 2 is the name in
// parentheses, which may hold blanks and parentheses itself.
#include "container/process_id.h"

#include <time.h>

#include "base/text.h"
#include "sys/file.h"
#include "sys/identity.h"

namespace umbel::container {

namespace {

struct Stat {
  char state = '?';
  std::uint64_t start_time = 0;
};

Result<Stat> read_stat(HostPid pid) {
  const std::string text =
      TRY(sys::read_file(cwd, "/proc/" + std::to_string(pid.value()) + "/stat"));
  const std::size_t name_end = text.rfind(')');
  const auto fields =
      words(name_end == std::string::npos ? "" : std::string_view(text).substr(name_end + 1));
  if (fields.size() < 20) return fail("/proc/PID/stat is not as expected");
  return Stat{fields[0][0], unsigned_number(fields[19]).value_or(0)};
}

}  // namespace

Result<ProcessId> identify(HostPid pid) {
  return ProcessId{.pid = pid, .start_time = TRY(read_stat(pid)).start_time};
}

bool is_alive(const ProcessId& process) {
  if (!process.pid) return false;
  const Result<Stat> found = read_stat(process.pid);
  return found && found->start_time == process.start_time && found->state != 'Z' &&
         found->state != 'X';
}

std::int64_t now() {
  const Result<sys::Clock> clock = sys::clock_now(CLOCK_REALTIME);
  return clock ? clock->seconds * 1'000'000'000 + clock->nanoseconds : 0;
}

}  // namespace umbel::container
