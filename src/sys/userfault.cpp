// ioctl_userfaultfd(2) and PAGEMAP_SCAN. Debian 12's headers lack asynchronous protection.
#include "sys/userfault.h"

#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/call.h"
#include "sys/remote_memory.h"

namespace umbel::sys {

Result<Fd> own_userfault() {
  return Fd(TRY(checked_int(::syscall(SYS_userfaultfd, watcher_flags), "userfaultfd")));
}

Result<void> make_watcher(FdRef userfault) {
  constexpr std::uint64_t write_protect_async = 1U << 15U;
  uffdio_api ask{.api = UFFD_API, .features = write_protect_async, .ioctls = 0};
  return checked(::ioctl(userfault.number(), UFFDIO_API, &ask), "UFFDIO_API");
}

Result<void> watch_range(FdRef userfault, std::uint64_t start, std::uint64_t size) {
  uffdio_register ask{};
  ask.range = {.start = start, .len = size};
  ask.mode = UFFDIO_REGISTER_MODE_WP;
  return checked(::ioctl(userfault.number(), UFFDIO_REGISTER, &ask), "UFFDIO_REGISTER");
}

Result<void> protect_written(FdRef pagemap, std::uint64_t start, std::uint64_t end) {
  constexpr std::uint64_t protect_matching = 1, must_be_watched = 2;
  // Only pages that are there: a mark on one that is not costs memory, and looks like a page. One
  // that comes later has no mark, which is as good as written.
  using Is = PageIs;
  TRY(scan_pages(pagemap, {.start = start,
                           .end = end,
                           .inverted = Is::file | Is::zero,
                           .all_of = Is::written | Is::file | Is::zero,
                           .any_of = Is::present | Is::swapped,
                           .report = PageIs::written,
                           .flags = protect_matching | must_be_watched}));
  return {};
}

}  // namespace umbel::sys
