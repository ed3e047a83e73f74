// A shared anonymous mapping has an inode, which /proc/self/map_files gives a descriptor of.
#include "sys/memory.h"

#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "sys/call.h"
#include "sys/file.h"
#include "sys/procfs.h"

namespace umbel::sys {

// Addresses are numbers here, and pointers for the kernel alone.
// NOLINTBEGIN(performance-no-int-to-ptr)

Mapped::Mapped(Mapped&& other) noexcept
    : address_(std::exchange(other.address_, 0)), size_(std::exchange(other.size_, 0)) {}

Mapped& Mapped::operator=(Mapped&& other) noexcept {
  if (this != &other) {
    release();
    address_ = std::exchange(other.address_, 0);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

void Mapped::release() noexcept {
  if (size_ != 0) ::munmap(reinterpret_cast<void*>(address_), size_);
  size_ = 0;
}

void leave_own_code() {
  // What can't be written is as its file has it: dropped, not lost (madvise(2), MADV_DONTNEED).
  const auto leave = [](dl_phdr_info* object, std::size_t, void*) {
    constexpr std::uint64_t page = 4096;
    for (unsigned i = 0; i < object->dlpi_phnum; ++i) {
      const auto& segment = object->dlpi_phdr[i];
      if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
      const std::uint64_t start = object->dlpi_addr + segment.p_vaddr;
      const std::uint64_t end = start + segment.p_memsz;
      const std::uint64_t first = start / page * page;
      ::madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED);
    }
    return 0;
  };
  ::dl_iterate_phdr(leave, nullptr);
}

Result<Mapped> map_shared_at(std::uint64_t address, std::size_t size) {
  void* const mapped = ::mmap(reinterpret_cast<void*>(address), size, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (mapped == MAP_FAILED) return Failure(last_error("mmap"));
  return Mapped(reinterpret_cast<std::uintptr_t>(mapped), size);
}

bool can_map_vdso() {
  constexpr int map_vdso_64 = 0x2003;
  // EEXIST: it would do it, were there not one already.
  return ::syscall(SYS_arch_prctl, map_vdso_64, 0) == 0 || errno == EEXIST;
}

Result<void> protect(std::uint64_t address, std::size_t size, int protection) {
  return checked(::mprotect(reinterpret_cast<void*>(address), size, protection), "mprotect");
}

Result<Fd> shared_memory(std::uint64_t size) {
  void* const mapped =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return Failure(last_error("mmap"));
  const Mapped owned(reinterpret_cast<std::uintptr_t>(mapped), size);
  char name[96];
  std::snprintf(name, sizeof name, "self/map_files/%lx-%lx", owned.address(),
                owned.address() + size);
  Result<Fd> file = open(cwd, proc_path(name), O_RDWR);
  if (file || (file.error().code != EPERM && file.error().code != ENOENT)) return file;
  Fd memory = TRY(memory_file("shared-anonymous"));
  TRY(checked(::ftruncate64(memory.number(), static_cast<off64_t>(size)), "ftruncate"));
  return memory;
}

Result<Fd> sealable_memory_file(const std::string& name) {
  return Fd(TRY(checked_int(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING),
                            "memfd_create", name)));
}
Result<int> seals(FdRef memory_file) {
  return checked_int(::fcntl(memory_file.number(), F_GET_SEALS), "F_GET_SEALS");
}
Result<void> add_seals(FdRef memory_file, int seals) {
  if (seals == 0) return {};
  return checked(::fcntl(memory_file.number(), F_ADD_SEALS, seals), "F_ADD_SEALS");
}

Result<std::vector<Range>> data_ranges(FdRef file, std::uint64_t size) {
  std::vector<Range> found;
  for (off64_t at = 0; static_cast<std::uint64_t>(at) < size;) {
    const off64_t data = ::lseek64(file.number(), at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // only a hole is left
    if (data < 0) return Failure(last_error("lseek"));
    const off64_t hole = ::lseek64(file.number(), data, SEEK_HOLE);
    if (hole < 0) return Failure(last_error("lseek"));
    found.push_back({static_cast<std::uint64_t>(data), static_cast<std::uint64_t>(hole)});
    at = hole;
  }
  return found;
}

// NOLINTEND(performance-no-int-to-ptr)

}  // namespace umbel::sys
