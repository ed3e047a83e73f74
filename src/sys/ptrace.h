// Tracing a thread: ptrace(2), always by PTRACE_SEIZE. Every call but wait_stop() must be made by
// the thread that seized; others get ESRCH.
#pragma once

#include <linux/ptrace.h>
#include <signal.h>
#include <sys/user.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"

namespace umbel::sys {

// PTRACE_O_* of linux/ptrace.h.
Result<void> seize(HostPid tid, std::uint32_t options);
// Asks for a stop with PTRACE_EVENT_STOP; wait_stop() tells of it.
Result<void> interrupt(HostPid tid);
// Lets it go on until the next stop. `signal` is delivered to it first; 0 is none.
Result<void> resume(HostPid tid, int signal = 0);
// The same, stopping also before and after the next system call.
Result<void> resume_to_system_call(HostPid tid);
Result<void> detach(HostPid tid, int signal = 0);
Result<void> set_trace_options(HostPid tid, std::uint32_t options);

// Why a thread that one traces has stopped, or that it is gone.
struct Stop {
  enum class Why { signal, event, exited, killed };
  Why why = Why::signal;
  int signal = 0;  // signal: the one about to be delivered (0x80 is set on a system-call stop);
                   // event: the signal beside it, SIGTRAP unless it is a group stop
  int event = 0;   // PTRACE_EVENT_*
  int status = 0;  // exited, killed: status or signal
  bool ended() const { return why == Why::exited || why == Why::killed; }
};
// Waits for the next stop of a traced thread or child; nullopt when none came within that time.
Result<std::optional<Stop>> wait_stop(HostPid tid, std::chrono::milliseconds at_most);
// Without a limit.
Result<Stop> wait_stop(HostPid tid);

Result<user_regs_struct> get_registers(HostPid tid);
Result<void> set_registers(HostPid tid, const user_regs_struct& registers);
// The note's kind: NT_X86_XSTATE and so on of elf.h.
Result<std::vector<std::uint8_t>> get_register_set(HostPid tid, int kind, std::size_t at_most);
Result<void> set_register_set(HostPid tid, int kind, std::span<const std::uint8_t> state);
// Bit N - 1 is signal N.
Result<std::uint64_t> get_signal_mask(HostPid tid);
Result<void> set_signal_mask(HostPid tid, std::uint64_t mask);
// Of the signal of a signal-delivery stop.
Result<siginfo_t> get_signal_info(HostPid tid);
enum class Queue { thread, process };
// Pending signals, oldest first, without taking them out.
Result<std::vector<siginfo_t>> pending_signals(HostPid tid, Queue queue);
// Nothing where none is registered. Linux 5.13.
Result<ptrace_rseq_configuration> get_rseq(HostPid tid);
// The filter of that index, newest first, as an array of struct sock_filter; nothing beyond the
// last. Needs CAP_SYS_ADMIN.
Result<std::optional<std::vector<std::uint8_t>>> get_seccomp_filter(HostPid tid, unsigned index);
// SECCOMP_FILTER_FLAG_* that the filter was installed with.
Result<std::uint64_t> get_seccomp_flags(HostPid tid, unsigned index);

}  // namespace umbel::sys
