// The scratch pages in a process that knows nothing of umbel: put in when made, taken out by
// remove() or the destructor.
#pragma once

#include <optional>
#include <span>

#include "base/error.h"
#include "base/fd.h"
#include "checkpoint/remote/scratch.h"
#include "checkpoint/remote/session.h"
#include "proc/maps.h"

namespace umbel::checkpoint::remote {

// The address of a system-call instruction in a process; its vDSO has one.
Result<Pointer> find_system_call(std::span<const proc::Mapping> mappings, FdRef memory);
// Room for way_back() that nothing uses and that can be executed: the zeroes after the vDSO's code.
std::optional<Pointer> find_room(std::span<const proc::Mapping> mappings, FdRef memory);

// Makes one call with the help of such an instruction: two stops. For the very first and last call;
// everything between goes by batches. The thread's registers and mask are as in `cpu` before and
// after.
Result<std::uint64_t> single_call(HostPid tid, const Cpu& cpu, Pointer instruction, SystemCall what,
                                  std::initializer_list<Argument> arguments);

class Injection {
 public:
  // `thread` is stopped and stays so until remove(); it makes the calls. `memory` is /proc/PID/mem.
  static Result<Injection> install(const ThreadId& thread, const Cpu& cpu,
                                   std::span<const proc::Mapping> mappings, FdRef memory);
  Injection(Injection&& other) noexcept;
  Injection& operator=(Injection&&) = delete;
  Injection(const Injection&) = delete;
  Injection& operator=(const Injection&) = delete;
  ~Injection();

  Scratch& scratch() { return scratch_; }
  Result<void> remove();

 private:
  Injection(HostPid tid, const Cpu& cpu, FdRef memory)
      : tid_(tid), cpu_(&cpu), memory_(memory), scratch_(Scratch::remote(Pointer(), memory)) {}
  Result<void> prepare(std::span<const proc::Mapping> mappings);
  Result<void> clear_room();
  HostPid tid_;
  const Cpu* cpu_;
  FdRef memory_;
  Pointer instruction_;
  std::size_t room_ = 0;  // bytes to be made zero again there
  Scratch scratch_;
  bool installed_ = false;
};

}  // namespace umbel::checkpoint::remote
