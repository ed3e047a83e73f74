// Another process's memory: process_vm_readv(2), /proc/PID/mem, and which of its pages exist
// (PAGEMAP_SCAN, Linux 6.7; /proc/PID/pagemap before).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"

namespace umbel::sys {

// All of it or an error; EFAULT where the mapping forbids the access.
Result<void> read_memory(HostPid pid, std::uint64_t address, std::span<std::uint8_t> into);
Result<void> write_memory(HostPid pid, std::uint64_t address, std::span<const std::uint8_t> data);

struct RemoteRange {
  std::uint64_t address = 0, size = 0;
};
// Several ranges one after the other into one buffer; how many bytes came before the first page
// that can't be read.
Result<std::size_t> read_ranges(HostPid pid, std::span<const RemoteRange> ranges,
                                std::span<std::uint8_t> into);
Result<std::size_t> write_ranges(HostPid pid, std::span<const RemoteRange> ranges,
                                 std::span<const std::uint8_t> data);

// At an offset of a file, which for /proc/PID/mem is an address there: reads any mapping, writes
// private ones whatever their protection.
Result<std::size_t> read_at(FdRef file, std::uint64_t offset, std::span<std::uint8_t> into);
Result<void> read_all_at(FdRef file, std::uint64_t offset, std::span<std::uint8_t> into);
Result<void> write_all_at(FdRef file, std::uint64_t offset, std::span<const std::uint8_t> data);

// Categories of a page, as PAGEMAP_SCAN numbers them.
struct PageIs {
  static constexpr std::uint64_t write_protect_allowed = 1, written = 2, file = 4, present = 8,
                                 swapped = 16, zero = 32, huge = 64, soft_dirty = 128, guard = 256;
};
struct PageRegion {
  std::uint64_t start = 0, end = 0, categories = 0;
};
struct PageScan {
  std::uint64_t start = 0, end = 0;
  std::uint64_t inverted = 0;  // categories whose absence counts as a match
  std::uint64_t all_of = 0, any_of = 0;
  std::uint64_t report = 0;  // categories to tell apart in the answer
  std::uint64_t flags = 0;   // PM_SCAN_*
};
// Needs /proc/PID/pagemap. ENOTTY before Linux 6.7.
Result<std::vector<PageRegion>> scan_pages(FdRef pagemap, const PageScan& scan);

}  // namespace umbel::sys
