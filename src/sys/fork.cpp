#include "sys/fork.h"

#include <unistd.h>

#include "sys/call.h"

namespace umbel::sys {

Result<Process> fork() {
  const pid_t pid = ::fork();
  if (pid < 0) return Failure(last_error("fork"));
  if (pid == 0) return Process();
  // It can't be another's yet: nobody but this process reaps it.
  return Process(HostPid(pid), TRY(pidfd_open(HostPid(pid))));
}

}  // namespace umbel::sys
