// time_namespaces(7): unshare makes the namespace for the caller's children; until the first of
// them exists (or the caller executes), the offsets can be written to the caller's own
// timens_offsets.
#include "ns/time.h"

#include <string>

#include "base/text.h"
#include "sys/file.h"

namespace umbel::ns::time {

namespace {

constexpr std::int64_t second = 1'000'000'000;

// The kernel wants whole seconds and 0 <= nanoseconds < 1e9, also for a negative offset.
std::string line(std::string_view clock, std::int64_t offset) {
  std::int64_t seconds = offset / second;
  std::int64_t rest = offset % second;
  if (rest < 0) {
    rest += second;
    --seconds;
  }
  return std::string(clock) + " " + std::to_string(seconds) + " " + std::to_string(rest) + "\n";
}

}  // namespace

Result<void> apply(const Settings& settings) {
  std::string text;
  if (settings.monotonic_offset) text += line("monotonic", *settings.monotonic_offset);
  if (settings.boottime_offset) text += line("boottime", *settings.boottime_offset);
  if (text.empty()) return {};
  Result<void> written = sys::write_file(cwd, "/proc/self/timens_offsets", text);
  if (!written && written.error().code == ERANGE)
    return fail_with(ERANGE, "the time offset would make a clock negative or overflow",
                     "choose an offset that leaves the clocks above zero");
  return during("writing time offsets", std::move(written));
}

Result<void> capture(Settings& settings) {
  const std::string text = TRY(sys::read_file(cwd, "/proc/self/timens_offsets"));
  for (std::string_view entry : split(text, '\n')) {
    const auto parts = words(entry);
    if (parts.size() != 3) continue;
    const std::int64_t offset =
        number(parts[1]).value_or(0) * second + number(parts[2]).value_or(0);
    if (parts[0] == "monotonic") settings.monotonic_offset = offset;
    if (parts[0] == "boottime") settings.boottime_offset = offset;
  }
  return {};
}

}  // namespace umbel::ns::time
