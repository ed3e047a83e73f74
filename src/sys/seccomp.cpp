#include "sys/seccomp.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "sys/call.h"

namespace umbel::sys {

bool seccomp_has_action(std::uint32_t action) {
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

Result<std::optional<Fd>> set_seccomp_filter(std::span<const std::uint8_t> program,
                                             std::uint32_t flags) {
  if (program.empty() || program.size() % sizeof(sock_filter) != 0 ||
      program.size() / sizeof(sock_filter) > BPF_MAXINSNS)
    return fail_with(EINVAL, "the filter has " + std::to_string(program.size()) + " bytes",
                     "a filter is 1 to 4096 instructions of 8 bytes");
  std::vector<sock_filter> copy(program.size() / sizeof(sock_filter));  // aligned
  std::memcpy(copy.data(), program.data(), program.size());
  const sock_fprog filter{static_cast<unsigned short>(copy.size()), copy.data()};
  const int answer =
      TRY(checked_int(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter), "seccomp",
                      "SECCOMP_SET_MODE_FILTER"));
  if ((flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0) return std::optional<Fd>(Fd(answer));
  // Without a listener a positive answer of TSYNC is the thread that could not follow.
  if (answer > 0)
    return fail_with(ESRCH, "thread " + std::to_string(answer) +
                                " has another filter and can't take this one over");
  return std::optional<Fd>();
}

}  // namespace umbel::sys
