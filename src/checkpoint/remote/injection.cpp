// The very first call has nothing but an instruction in the program's own code to be made with.
// Were umbel killed right then, the thread would run on behind that instruction with registers that
// are not its own. So it is made in the unused end of the vDSO's last page, of which a write
// through /proc/PID/mem makes a private copy, with a way back behind it. The code page is
// executable and never writable for the target, so that a target which forbids itself such memory
// (PR_SET_MDWE) can be served too; the data pages become writable by the stub's own first call,
// which gives PROT_EXEC up.
#include "checkpoint/remote/injection.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "checkpoint/remote/stub.h"
#include "checkpoint/remote/way_back.h"
#include "sys/ptrace.h"
#include "sys/remote_memory.h"

namespace umbel::checkpoint::remote {

namespace {

constexpr int system_call_stop = SIGTRAP | 0x80;

std::optional<Pointer> search(const proc::Mapping& mapping, FdRef memory) {
  static constexpr std::array<std::uint8_t, 2> instruction{0x0f, 0x05};
  constexpr std::uint64_t step = 256 * 1024;
  std::vector<std::uint8_t> code(std::min(mapping.size(), step));
  for (std::uint64_t at = mapping.start; at < mapping.end; at += step) {
    const auto some = std::span(code).first(std::min(mapping.end - at, step));
    const Result<std::size_t> got = sys::read_at(memory, at, some);
    if (!got) return std::nullopt;
    const auto found = std::ranges::search(some.first(*got), instruction);
    if (!found.empty())
      return Pointer(at + static_cast<std::uint64_t>(found.begin() - some.begin()));
  }
  return std::nullopt;
}

// A group stop and an interruption may be waiting to be told; neither is what is waited for.
Result<void> run_to_system_call_stop(HostPid tid) {
  for (int tries = 0; tries < 64; ++tries) {
    TRY(persist([&] { return sys::resume_to_system_call(tid); }));
    const sys::Stop stop = TRY(persist([&] { return sys::wait_stop(tid); }));
    if (stop.ended()) return fail_with(ESRCH, "it ended while it made a call for umbel");
    if (stop.why == sys::Stop::Why::signal && stop.signal == system_call_stop) return {};
    if (stop.why == sys::Stop::Why::signal)
      return fail("it was stopped by signal " + std::to_string(stop.signal) +
                  " before it could make a call for umbel");
  }
  return fail("it does not reach a system call");
}

Result<std::uint64_t> make_call(HostPid tid, user_regs_struct registers) {
  // Registers first: with every signal blocked and the old registers, a thread that loses its
  // tracer would go on deaf.
  TRY(sys::set_registers(tid, registers));
  TRY(sys::set_signal_mask(tid, ~std::uint64_t{0}));
  TRY(run_to_system_call_stop(tid));
  TRY(run_to_system_call_stop(tid));
  const user_regs_struct after = TRY(persist([&] { return sys::get_registers(tid); }));
  return after.rax;
}

}  // namespace

Result<Pointer> find_system_call(std::span<const proc::Mapping> mappings, FdRef memory) {
  for (const bool vdso : {true, false})
    for (const proc::Mapping& mapping : mappings) {
      if (!mapping.execute || (mapping.path == "[vdso]") != vdso || mapping.path == "[vsyscall]")
        continue;
      if (const auto found = search(mapping, memory)) return *found;
    }
  return fail("there is no system-call instruction in its memory");
}

Result<std::uint64_t> single_call(HostPid tid, const Cpu& cpu, Pointer instruction, SystemCall what,
                                  std::initializer_list<Argument> arguments) {
  user_regs_struct registers = cpu.registers;
  registers.orig_rax = static_cast<std::uint64_t>(-1);
  registers.cs = 0x33;
  registers.ss = 0x2b;
  registers.rip = instruction.value();
  registers.rax = static_cast<std::uint64_t>(what.number);
  const std::array slots{&registers.rdi, &registers.rsi, &registers.rdx,
                         &registers.r10, &registers.r8,  &registers.r9};
  std::size_t i = 0;
  for (const Argument& argument : arguments) *slots[i++] = argument.value();

  const Result<std::uint64_t> answer = make_call(tid, registers);
  // Whatever came of it, the thread gets its own state back.
  const Result<void> back = put_back(tid, cpu);
  if (!answer) return Failure(answer.error());
  if (!back) return Failure(back.error());
  if (*answer > static_cast<std::uint64_t>(-4096))
    return Failure(Error{.code = static_cast<int>(-static_cast<std::int64_t>(*answer)),
                         .call = what.name,
                         .detail = "in thread " + std::to_string(tid.value())});
  return *answer;
}

std::optional<Pointer> find_room(std::span<const proc::Mapping> mappings, FdRef memory) {
  const auto vdso = std::ranges::find(mappings, "[vdso]", &proc::Mapping::path);
  if (vdso == mappings.end()) return std::nullopt;
  std::vector<std::uint8_t> last(page);
  if (!sys::read_all_at(memory, vdso->end - page, last)) return std::nullopt;
  const auto used = std::find_if(last.rbegin(), last.rend(), [](auto byte) { return byte != 0; });
  constexpr std::uint64_t alignment = 16;
  const auto unused = static_cast<std::uint64_t>(used - last.rbegin());
  const std::uint64_t end = page - unused;
  if (end >= way_back_size &&
      std::equal(way_back_mark.begin(), way_back_mark.end(),
                 last.begin() + static_cast<std::ptrdiff_t>(end - way_back_mark.size())))
    return Pointer(vdso->end - unused - way_back_size);
  if (unused < way_back_size + alignment) return std::nullopt;
  return Pointer((vdso->end - unused + alignment - 1) / alignment * alignment);
}

Result<void> Injection::prepare(std::span<const proc::Mapping> mappings) {
  const std::optional<Pointer> room = find_room(mappings, memory_);
  if (!room) {
    instruction_ = TRY(find_system_call(mappings, memory_));
    return {};
  }
  instruction_ = *room;
  room_ = way_back_size;
  return sys::write_all_at(memory_, room->value(), way_back(*cpu_, *room));
}

Result<void> Injection::clear_room() {
  const std::vector<std::uint8_t> zeroes(std::exchange(room_, 0));
  return persist([&] { return sys::write_all_at(memory_, instruction_.value(), zeroes); });
}

Result<Injection> Injection::install(const ThreadId& thread, const Cpu& cpu,
                                     std::span<const proc::Mapping> mappings, FdRef memory) {
  Injection made(thread.tid, cpu, memory);
  TRY(made.prepare(mappings));
  const std::uint64_t base = TRY(during(
      "making room for the calls of umbel",
      single_call(thread.tid, cpu, made.instruction_, call::mmap,
                  {0, Scratch::size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0})));
  made.scratch_ = Scratch::remote(Pointer(base), memory);
  made.installed_ = true;
  TRY(made.scratch_.write(made.scratch_.code(), stub().code));
  return made;
}

Injection::Injection(Injection&& other) noexcept
    : tid_(other.tid_),
      cpu_(other.cpu_),
      memory_(other.memory_),
      instruction_(other.instruction_),
      room_(std::exchange(other.room_, 0)),
      scratch_(other.scratch_),
      installed_(std::exchange(other.installed_, false)) {}

Injection::~Injection() {
  if (installed_) (void)remove();
  if (room_ != 0) (void)clear_room();
}

Result<void> Injection::remove() {
  installed_ = false;
  TRY(during("taking the scratch pages out", persist([&] {
               return single_call(tid_, *cpu_, instruction_, call::munmap,
                                  {scratch_.base(), Scratch::size});
             })));
  return clear_room();
}

}  // namespace umbel::checkpoint::remote
