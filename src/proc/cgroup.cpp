// Lines are 4:cpu,cpuacct:/path. The path may itself contain colons, the list of controllers may
// not, but a name may: hierarchies can be named freely. The kernel's own parse is from the left, by
// the first two colons, so names with one can't be told apart and are not used by anyone.
#include "proc/cgroup.h"

#include "base/text.h"

namespace umbel::proc {

Result<std::vector<Membership>> parse_memberships(std::string_view text) {
  static constexpr std::string_view deleted = " (deleted)";
  std::vector<Membership> memberships;
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty()) continue;
    const auto id = cut(line, ':');
    const auto rest = id ? cut(id->after, ':') : std::nullopt;
    const auto hierarchy = id ? number(id->before) : std::nullopt;
    if (!rest || !hierarchy || !rest->after.starts_with('/'))
      return fail("'" + std::string(line) + "' is no line of /proc/PID/cgroup");
    std::string_view path = rest->after;
    const bool gone = path.ends_with(deleted);
    if (gone) path.remove_suffix(deleted.size());
    memberships.push_back({.hierarchy = *hierarchy,
                           .controllers = std::string(rest->before),
                           .path = std::string(path),
                           .deleted = gone});
  }
  return memberships;
}

}  // namespace umbel::proc
