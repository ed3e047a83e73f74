// What a pidfd tells about its process: pidfd_open(2), ioctl_pidfd(2).
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <array>

#include "base/text.h"
#include "sys/call.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/procfs.h"

namespace umbel::sys {

Result<HostPid> pid_behind(FdRef pidfd) {
  const std::string text =
      TRY(read_file(cwd, proc_path("self/fdinfo/" + std::to_string(pidfd.number()))));
  for (std::string_view line : split(text, '\n'))
    if (line.starts_with("Pid:"))
      if (const auto pid = number(trimmed(line.substr(4))); pid && *pid > 0)
        return HostPid(static_cast<std::int32_t>(*pid));
  return fail_with(ESRCH, "the process has ended already");
}

Result<Exit> exit_of(FdRef pidfd) {
  // The first 64 bytes of the kernel's struct pidfd_info, which Debian 12's headers lack.
  struct {
    std::uint64_t mask, cgroup;
    std::array<std::uint32_t, 11> ids;
    std::int32_t exit_code;
  } info{};
  constexpr std::uint64_t exit_wanted = 1U << 3U;
  info.mask = exit_wanted;
  TRY(checked(::ioctl(pidfd.number(), _IOWR(0xFF, 11, decltype(info)), &info), "ioctl",
              "PIDFD_GET_INFO"));
  if ((info.mask & exit_wanted) == 0)
    return fail_with(EAGAIN, "the process has not been reaped yet");
  if (WIFEXITED(info.exit_code)) return Exit{.status = WEXITSTATUS(info.exit_code)};
  return Exit{.signal = WTERMSIG(info.exit_code)};
}

}  // namespace umbel::sys
