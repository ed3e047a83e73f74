// Memory of one's own: mmap(2).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

// Owns a range that was mapped.
class Mapped {
 public:
  Mapped() = default;
  Mapped(std::uint64_t address, std::size_t size) : address_(address), size_(size) {}
  Mapped(Mapped&& other) noexcept;
  Mapped& operator=(Mapped&& other) noexcept;
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  ~Mapped() { release(); }
  std::uint64_t address() const { return address_; }
  std::size_t size() const { return size_; }

 private:
  void release() noexcept;
  std::uint64_t address_ = 0;
  std::size_t size_ = 0;
};

// Zeroes that a child shares, exactly there: EEXIST when something is in the way. Readable and
// writable.
Result<Mapped> map_shared_at(std::uint64_t address, std::size_t size);
Result<void> protect(std::uint64_t address, std::size_t size, int protection);

// Gives back the pages of this program's own code and constants, and of its libraries': they come
// back from the page cache as they are used. For one that has much behind it and little to do.
void leave_own_code();

// Whether the kernel would map its vDSO where one wants it (arch_prctl(2), ARCH_MAP_VDSO_64).
bool can_map_vdso();

// Shared anonymous memory as a descriptor. Needs CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN; without
// them it is a memory file, which differs in its name only.
Result<Fd> shared_memory(std::uint64_t size);

// memfd_create(2) whose seals (F_SEAL_*) can be added to.
Result<Fd> sealable_memory_file(const std::string& name);
Result<int> seals(FdRef memory_file);
Result<void> add_seals(FdRef memory_file, int seals);

// Parts of a file that hold data; the rest are holes: lseek(2) SEEK_DATA.
struct Range {
  std::uint64_t start = 0, end = 0;
};
Result<std::vector<Range>> data_ranges(FdRef file, std::uint64_t size);

}  // namespace umbel::sys
