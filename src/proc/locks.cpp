// "1: POSIX  ADVISORY  WRITE 1234 fd:01:5678 0 EOF", and with "->" after the number who waits. The
// device is in hexadecimal.
#include "proc/locks.h"

#include <string>

#include "base/text.h"

namespace umbel::proc {

namespace {

Result<Lock> parse_lock(std::string_view line) {
  std::vector<std::string_view> fields = words(line);
  const Failure wrong = fail("'" + std::string(line) + "' is no line of /proc/locks");
  Lock lock;
  if (fields.size() > 1 && fields[1] == "->") {
    lock.waiting = true;
    fields.erase(fields.begin() + 1);
  }
  if (fields.size() < 6) return wrong;
  const auto pid = number(fields[4]);
  const auto place = split(fields[5], ':');
  if (!pid || place.size() != 3) return wrong;
  const auto major = unsigned_number(place[0], 16);
  const auto minor = unsigned_number(place[1], 16);
  const auto inode = unsigned_number(place[2]);
  if (!major || !minor || !inode) return wrong;
  lock.exclusive = fields[3] == "WRITE";
  lock.pid = static_cast<std::int32_t>(*pid);
  lock.major = static_cast<std::uint32_t>(*major);
  lock.minor = static_cast<std::uint32_t>(*minor);
  lock.inode = *inode;
  return lock;
}

}  // namespace

Result<std::vector<Lock>> parse_locks(std::string_view text) {
  std::vector<Lock> locks;
  // Leases and delegations of a file that is gone have no place: "<none>:0".
  for (const std::string_view line : split(text, '\n'))
    if (!line.empty() && !line.contains("<none>")) locks.push_back(TRY(parse_lock(line)));
  return locks;
}

}  // namespace umbel::proc
