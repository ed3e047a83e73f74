// A watch is on the inode, so it goes on when the directory is renamed.
#include "sys/watch.h"

#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <string>

#include "sys/call.h"
#include "sys/procfs.h"

namespace umbel::sys {

Result<Fd> watch_directory(FdRef dir, std::uint32_t events) {
  Fd watch(TRY(checked_int(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK), "inotify_init")));
  const std::string path = proc_path("self/fd/" + std::to_string(dir.number()));
  TRY(checked(::inotify_add_watch(watch.number(), path.c_str(), events | IN_ONLYDIR),
              "inotify_add_watch", path));
  return watch;
}

void forget_events(FdRef watch) {
  std::array<char, 4096> events{};
  while (::read(watch.number(), events.data(), events.size()) > 0) {
  }
}

Result<Fd> watches() { return Fd(TRY(checked_int(::inotify_init1(IN_CLOEXEC), "inotify_init"))); }

Result<int> add_watch(FdRef watches, FdRef file, std::uint32_t events) {
  const std::string path = proc_path("self/fd/" + std::to_string(file.number()));
  return checked_int(::inotify_add_watch(watches.number(), path.c_str(), events),
                     "inotify_add_watch");
}

Result<void> set_next_watch(FdRef watches, int number) {
  constexpr unsigned long request = _IOW('I', 0, std::int32_t);
  return checked(::ioctl(watches.number(), request, static_cast<long>(number)),
                 "INOTIFY_IOC_SETNEXTWD");
}

}  // namespace umbel::sys
