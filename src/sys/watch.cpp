// A watch is on the inode, so it goes on when the directory is renamed.
#include "sys/watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <string>

#include "sys/call.h"

namespace umbel::sys {

Result<Fd> watch_directory(FdRef dir, std::uint32_t events) {
  Fd watch(TRY(checked_int(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK), "inotify_init")));
  const std::string path = "/proc/self/fd/" + std::to_string(dir.number());
  TRY(checked(::inotify_add_watch(watch.number(), path.c_str(), events | IN_ONLYDIR),
              "inotify_add_watch", path));
  return watch;
}

void forget_events(FdRef watch) {
  std::array<char, 4096> events{};
  while (::read(watch.number(), events.data(), events.size()) > 0) {
  }
}

}  // namespace umbel::sys
