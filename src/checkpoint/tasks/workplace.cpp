// A place is looked for from 64 KiB up, below 4 GiB if possible, between what the image's processes
// have mapped and what is mapped here. The vDSO of each process is mapped at its own place, so that
// counts as theirs.
#include "checkpoint/tasks/workplace.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "checkpoint/remote/stub.h"
#include "inspect/process.h"
#include "sys/identity.h"

namespace umbel::checkpoint {

namespace {

using remote::page;

struct Taken {
  std::uint64_t start = 0, end = 0;
};

Result<std::vector<Taken>> taken_anywhere(const image::Tree& tree) {
  std::vector<Taken> taken;
  const inspect::Process self = TRY(inspect::Process::open(sys::own_pid()));
  for (const proc::Mapping& mapping : TRY(self.mappings(inspect::Process::Detail::maps)))
    taken.push_back({mapping.start, mapping.end});
  // A stack or heap that grows must not grow into it: a margin.
  constexpr std::uint64_t margin = 16 << 20;
  for (const image::Process& process : tree.processes)
    for (const image::Mapping& mapping : process.memory.mappings)
      taken.push_back({mapping.start - std::min(mapping.start, margin), mapping.end + margin});
  std::ranges::sort(taken, {}, &Taken::start);
  return taken;
}

std::uint64_t find_gap(const std::vector<Taken>& taken, std::uint64_t size) {
  constexpr std::uint64_t lowest = 0x10000;
  std::uint64_t candidate = lowest;
  for (const Taken& range : taken) {
    if (range.start >= candidate && range.start - candidate >= size) return candidate;
    candidate = std::max(candidate, range.end);
  }
  return candidate;
}

}  // namespace

Result<Workplace> Workplace::make(const image::Tree& tree) {
  const std::uint64_t size = page + (tree.processes.size() + 1) * remote::Scratch::size;
  const std::vector<Taken> taken = TRY(taken_anywhere(tree));
  const std::uint64_t address = find_gap(taken, size);
  sys::Mapped memory =
      TRY(during("making room for the restore", sys::map_shared_at(address, size)));
  const auto code = remote::stub().code;
  std::memcpy(reinterpret_cast<void*>(address), code.data(), code.size());
  TRY(sys::protect(address, page, PROT_READ | PROT_EXEC));
  return Workplace(std::move(memory));
}

remote::Scratch Workplace::scratch(std::size_t index) const {
  const std::uint64_t base = memory_.address() + page + index * remote::Scratch::size;
  return remote::Scratch::shared(remote::Pointer(base), start());
}

}  // namespace umbel::checkpoint
