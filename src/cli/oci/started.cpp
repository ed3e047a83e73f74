#include "cli/oci/started.h"

#include "checkpoint/outside.h"
#include "sys/channel.h"
#include "sys/file.h"

namespace umbel::cli::oci {

Result<void> send_console(const std::string& socket, FdRef master) {
  return during("--console-socket " + socket, sys::send_to(socket, "/dev/ptmx", master));
}

Result<void> send_pidfd(const std::string& socket, FdRef pidfd) {
  if (socket.empty()) return {};
  return during("--pidfd-socket " + socket, sys::send_to(socket, "pidfd", pidfd));
}

Result<unsigned> preserved(const std::optional<std::uint64_t>& count) {
  constexpr std::uint64_t most = 1024;
  if (count.value_or(0) > most) return fail("--preserve-fds: at most 1024");
  const auto number = static_cast<unsigned>(count.value_or(0));
  for (unsigned fd = 3; fd < 3 + number; ++fd)
    TRY(advise("it counts descriptors from 3 on, and all of them must be open",
               during("--preserve-fds: descriptor " + std::to_string(fd),
                      sys::set_close_on_exec(FdRef(static_cast<int>(fd)), true))));
  return number;
}

Result<std::vector<std::string>> standard_descriptors() {
  std::vector<std::string> names;
  for (const FdRef file : {standard_in, standard_out, standard_error})
    names.push_back(TRY(checkpoint::name_of(file)));
  return names;
}

Result<void> write_pid_file(const std::string& path, HostPid pid) {
  if (path.empty()) return {};
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const auto written = [&]() -> Result<void> {
    const Fd dir = TRY(sys::open(cwd, directory, O_PATH | O_DIRECTORY));
    // Without a line's end, which containerd would not understand.
    return sys::replace_file(dir, path.substr(slash + 1), std::to_string(pid.value()));
  }();
  return during("--pid-file " + path, written);
}

Result<void> check(const Terminal& terminal) {
  if (!terminal.wanted && !terminal.socket.empty())
    return fail("--console-socket: the process has no terminal",
                "set process.terminal, or leave the socket out");
  if (terminal.wanted && terminal.detached && terminal.socket.empty())
    return fail(
        "the process wants a terminal, and nobody would hold it: --console-socket is missing",
        "give --console-socket, or set process.terminal to false");
  if (!terminal.detached && !terminal.socket.empty())
    return fail("--console-socket: is for a detached process only", "add --detach");
  return {};
}

}  // namespace umbel::cli::oci
