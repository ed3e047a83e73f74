// time_namespaces(7): offsets count from the clocks of the initial namespace, also for umbel if it
// is in another one. They can be written only while nobody is in the namespace.
#include "carry/clocks.h"

#include <time.h>

#include "base/text.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/procfs.h"

namespace umbel::carry {

namespace {

constexpr std::int64_t second = 1'000'000'000;

Result<Clocks> offsets_of(const std::string& process) {
  const std::string text = TRY(sys::read_file(cwd, sys::proc_path(process + "/timens_offsets")));
  Clocks found;
  for (const std::string_view line : split(text, '\n')) {
    const auto parts = words(line);
    if (parts.size() != 3) continue;
    const std::int64_t offset =
        number(parts[1]).value_or(0) * second + number(parts[2]).value_or(0);
    if (parts[0] == "monotonic") found.monotonic = offset;
    if (parts[0] == "boottime") found.boottime = offset;
  }
  return found;
}

// Of the initial namespace, now.
Result<Clocks> initial() {
  const Clocks own = TRY(offsets_of("self"));
  const sys::Clock monotonic = TRY(sys::clock_now(CLOCK_MONOTONIC));
  const sys::Clock boottime = TRY(sys::clock_now(CLOCK_BOOTTIME));
  return Clocks{.monotonic = monotonic.seconds * second + monotonic.nanoseconds - own.monotonic,
                .boottime = boottime.seconds * second + boottime.nanoseconds - own.boottime};
}

}  // namespace

Result<Clocks> capture_clocks(HostPid process) {
  const Clocks offsets = TRY(offsets_of(std::to_string(process.value())));
  Clocks now = TRY(initial());
  now.monotonic += offsets.monotonic;
  now.boottime += offsets.boottime;
  return now;
}

Result<void> apply_clocks(const Clocks& clocks, ns::Settings& settings) {
  const Clocks now = TRY(initial());
  settings.monotonic_offset = clocks.monotonic - now.monotonic;
  settings.boottime_offset = clocks.boottime - now.boottime;
  return {};
}

}  // namespace umbel::carry
