// Lines of status are "Key:\tvalue"; keys come and go with kernels, so each is looked for by name.
// In stat the second field is the name in parentheses, which may hold blanks and parentheses
// itself: what follows is counted from the last one.
#include "proc/status.h"

#include "base/text.h"

namespace umbel::proc {

namespace {

template <class Number>
Number first_number(std::string_view text) {
  const auto parts = words(text);
  return parts.empty() ? Number{} : static_cast<Number>(number(parts[0]).value_or(0));
}

void take(Status& status, std::string_view key, std::string_view value) {
  if (key == "Name") status.name = value;
  if (key == "State" && !value.empty()) status.state = value[0];
  if (key == "PPid") status.parent = first_number<std::int32_t>(value);
  if (key == "Uid") status.uid = first_number<std::uint32_t>(value);
  if (key == "Gid") status.gid = first_number<std::uint32_t>(value);
  if (key == "VmRSS") status.resident_bytes = first_number<std::uint64_t>(value) * 1024;
  if (key != "NSpid") return;
  for (const std::string_view pid : words(value))
    status.pids.push_back(static_cast<std::int32_t>(number(pid).value_or(0)));
}

}  // namespace

Result<Status> parse_status(std::string_view text) {
  Status status;
  for (const std::string_view line : split(text, '\n'))
    if (const auto halves = cut(line, ':')) take(status, halves->before, trimmed(halves->after));
  if (status.name.empty() || status.pids.empty())
    return fail("this is no content of /proc/PID/status");
  return status;
}

Result<Times> parse_times(std::string_view stat) {
  const std::size_t name_end = stat.rfind(')');
  const auto parts =
      words(name_end == std::string_view::npos ? std::string_view() : stat.substr(name_end + 1));
  // The first of them is field 3.
  if (parts.size() < 20) return fail("this is no content of /proc/PID/stat");
  const auto field = [&](std::size_t n) { return unsigned_number(parts[n - 3]).value_or(0); };
  return Times{.user = field(14), .system = field(15), .start = field(22)};
}

}  // namespace umbel::proc
