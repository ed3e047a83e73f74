// The name stands in parentheses and may hold any byte, parentheses too: it ends at the last one.
#include "proc/stat.h"

#include <array>

#include "base/text.h"

namespace umbel::proc {

Result<Stat> parse_stat(std::string_view text) {
  const std::size_t open = text.find('('), close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return fail("'" + std::string(text.substr(0, 40)) + "' is no /proc/PID/stat");
  const auto pid = number(trimmed(text.substr(0, open)));
  const auto rest = words(text.substr(close + 1));
  // proc_pid_stat(5) counts from 1; the state is field 3.
  constexpr std::size_t first = 3, last = 52;
  if (!pid || rest.size() < last - first + 1 || rest[0].size() != 1)
    return fail("'" + std::string(text.substr(0, 40)) + "' is no /proc/PID/stat");
  std::array<std::int64_t, last + 1> field{};
  for (std::size_t i = 4; i <= last; ++i) {
    const auto value = number(rest[i - first]);
    const auto wide = unsigned_number(rest[i - first]);
    if (!value && !wide)
      return fail("field " + std::to_string(i) + " of /proc/PID/stat is no number");
    field[i] = value ? *value : static_cast<std::int64_t>(*wide);
  }
  const auto narrow = [&](std::size_t i) { return static_cast<std::int32_t>(field[i]); };
  const auto natural = [&](std::size_t i) { return static_cast<std::uint64_t>(field[i]); };
  return Stat{.pid = static_cast<std::int32_t>(*pid),
              .name = std::string(text.substr(open + 1, close - open - 1)),
              .state = rest[0][0],
              .parent = narrow(4),
              .group = narrow(5),
              .session = narrow(6),
              .terminal = narrow(7),
              .foreground = narrow(8),
              .flags = natural(9),
              .threads = narrow(20),
              .start_time = natural(22),
              .start_code = natural(26),
              .end_code = natural(27),
              .start_stack = natural(28),
              .exit_signal = narrow(38),
              .start_data = natural(45),
              .end_data = natural(46),
              .start_brk = natural(47),
              .arg_start = natural(48),
              .arg_end = natural(49),
              .env_start = natural(50),
              .env_end = natural(51),
              .exit_code = narrow(52)};
}

}  // namespace umbel::proc
