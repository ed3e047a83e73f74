// PTRACE_SEIZE, unlike ATTACH, sends no SIGSTOP that could get lost or be seen, and
// PTRACE_INTERRUPT stops also what waits inside a system call. A wait for one tid may be made from
// any thread of the tracer's process; waiting for a limited time has no call of its own, so it is
// polled.
#include "sys/ptrace.h"

#include <elf.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "sys/call.h"
#include "sys/wait.h"

namespace umbel::sys {

namespace {

// glibc's ptrace() is variadic and stores the answer of PEEK requests elsewhere: called directly.
long call(long request, HostPid tid, std::uintptr_t address, const void* data) {
  return ::syscall(SYS_ptrace, request, tid.value(), address, data);
}

Result<long> traced(long request, std::string_view name, HostPid tid, std::uintptr_t address = 0,
                    const void* data = nullptr) {
  const long answer = call(request, tid, address, data);
  if (answer < 0) return Failure(last_error(name, std::to_string(tid.value())));
  return answer;
}

const void* as_pointer(std::uint64_t number) { return reinterpret_cast<const void*>(number); }

Stop typed(int status) {
  if (WIFEXITED(status)) return {.why = Stop::Why::exited, .status = WEXITSTATUS(status)};
  if (WIFSIGNALED(status)) return {.why = Stop::Why::killed, .status = WTERMSIG(status)};
  const int event = status >> 16;
  return {.why = event != 0 ? Stop::Why::event : Stop::Why::signal,
          .signal = WSTOPSIG(status),
          .event = event};
}

}  // namespace

Result<void> seize(HostPid tid, std::uint32_t options) {
  TRY(traced(PTRACE_SEIZE, "PTRACE_SEIZE", tid, 0, as_pointer(options)));
  return {};
}
Result<void> interrupt(HostPid tid) {
  TRY(traced(PTRACE_INTERRUPT, "PTRACE_INTERRUPT", tid));
  return {};
}
Result<void> resume(HostPid tid, int signal) {
  TRY(traced(PTRACE_CONT, "PTRACE_CONT", tid, 0, as_pointer(static_cast<unsigned>(signal))));
  return {};
}
Result<void> resume_to_system_call(HostPid tid) {
  TRY(traced(PTRACE_SYSCALL, "PTRACE_SYSCALL", tid));
  return {};
}
Result<void> detach(HostPid tid, int signal) {
  TRY(traced(PTRACE_DETACH, "PTRACE_DETACH", tid, 0, as_pointer(static_cast<unsigned>(signal))));
  return {};
}
Result<void> set_trace_options(HostPid tid, std::uint32_t options) {
  TRY(traced(PTRACE_SETOPTIONS, "PTRACE_SETOPTIONS", tid, 0, as_pointer(options)));
  return {};
}

Result<std::optional<Stop>> wait_stop(HostPid tid, std::chrono::milliseconds at_most) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point until = Clock::now() + at_most;
  for (auto pause = std::chrono::microseconds(10);;
       pause = std::min<std::chrono::microseconds>(pause * 2, std::chrono::milliseconds(2))) {
    int status = 0;
    const pid_t found = retried([&] { return ::waitpid(tid.value(), &status, __WALL | WNOHANG); });
    if (found < 0) return Failure(last_error("waitpid", std::to_string(tid.value())));
    if (found > 0) return typed(status);
    if (Clock::now() >= until) return std::nullopt;
    sleep_for(pause);
  }
}

Result<Stop> wait_stop(HostPid tid) {
  int status = 0;
  const pid_t found = retried([&] { return ::waitpid(tid.value(), &status, __WALL); });
  if (found < 0) return Failure(last_error("waitpid", std::to_string(tid.value())));
  return typed(status);
}

Result<user_regs_struct> get_registers(HostPid tid) {
  user_regs_struct registers{};
  TRY(traced(PTRACE_GETREGS, "PTRACE_GETREGS", tid, 0, &registers));
  return registers;
}
Result<void> set_registers(HostPid tid, const user_regs_struct& registers) {
  TRY(traced(PTRACE_SETREGS, "PTRACE_SETREGS", tid, 0, &registers));
  return {};
}

Result<std::vector<std::uint8_t>> get_register_set(HostPid tid, int kind, std::size_t at_most) {
  std::vector<std::uint8_t> state(at_most);
  iovec into{.iov_base = state.data(), .iov_len = state.size()};
  TRY(traced(PTRACE_GETREGSET, "PTRACE_GETREGSET", tid, static_cast<unsigned>(kind), &into));
  state.resize(into.iov_len);
  return state;
}
Result<void> set_register_set(HostPid tid, int kind, std::span<const std::uint8_t> state) {
  // The request only reads.
  iovec from{.iov_base = const_cast<std::uint8_t*>(state.data()),
             .iov_len = state.size()};  // NOLINT
  TRY(traced(PTRACE_SETREGSET, "PTRACE_SETREGSET", tid, static_cast<unsigned>(kind), &from));
  return {};
}

Result<std::uint64_t> get_signal_mask(HostPid tid) {
  std::uint64_t mask = 0;
  TRY(traced(PTRACE_GETSIGMASK, "PTRACE_GETSIGMASK", tid, sizeof mask, &mask));
  return mask;
}
Result<void> set_signal_mask(HostPid tid, std::uint64_t mask) {
  TRY(traced(PTRACE_SETSIGMASK, "PTRACE_SETSIGMASK", tid, sizeof mask, &mask));
  return {};
}

Result<siginfo_t> get_signal_info(HostPid tid) {
  siginfo_t info{};
  TRY(traced(PTRACE_GETSIGINFO, "PTRACE_GETSIGINFO", tid, 0, &info));
  return info;
}

Result<std::vector<siginfo_t>> pending_signals(HostPid tid, Queue queue) {
  std::vector<siginfo_t> pending;
  for (;;) {
    siginfo_t some[32];
    ptrace_peeksiginfo_args ask{.off = pending.size(),
                                .flags = queue == Queue::process ? 1U : 0U,  // _SHARED
                                .nr = static_cast<int>(std::size(some))};
    const long got = TRY(traced(PTRACE_PEEKSIGINFO, "PTRACE_PEEKSIGINFO", tid,
                                reinterpret_cast<std::uintptr_t>(&ask), static_cast<void*>(some)));
    pending.insert(pending.end(), some, some + got);
    if (got < static_cast<long>(std::size(some))) return pending;
  }
}

Result<ptrace_rseq_configuration> get_rseq(HostPid tid) {
  ptrace_rseq_configuration rseq{};
  TRY(traced(PTRACE_GET_RSEQ_CONFIGURATION, "PTRACE_GET_RSEQ_CONFIGURATION", tid, sizeof rseq,
             &rseq));
  return rseq;
}

Result<std::optional<std::vector<std::uint8_t>>> get_seccomp_filter(HostPid tid, unsigned index) {
  constexpr std::size_t instruction = 8;
  const long count = call(PTRACE_SECCOMP_GET_FILTER, tid, index, nullptr);
  if (count < 0 && errno == ENOENT) return std::nullopt;
  if (count < 0)
    return Failure(last_error("PTRACE_SECCOMP_GET_FILTER", std::to_string(tid.value())));
  std::vector<std::uint8_t> program(static_cast<std::size_t>(count) * instruction);
  TRY(traced(PTRACE_SECCOMP_GET_FILTER, "PTRACE_SECCOMP_GET_FILTER", tid, index, program.data()));
  return program;
}

Result<std::uint64_t> get_seccomp_flags(HostPid tid, unsigned index) {
  struct {
    std::uint64_t offset, flags;
  } metadata{index, 0};
  TRY(traced(PTRACE_SECCOMP_GET_METADATA, "PTRACE_SECCOMP_GET_METADATA", tid, sizeof metadata,
             &metadata));
  return metadata.flags;
}

}  // namespace umbel::sys
