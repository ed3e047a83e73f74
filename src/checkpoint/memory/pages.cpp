// PAGEMAP_SCAN (Linux 6.7) answers for the whole address space in one call; before it,
// /proc/PID/pagemap has a word a page: bit 63 present, 62 swapped, 61 of a file or shared. Guard
// areas (MADV_GUARD_INSTALL, Linux 6.13) count as swapped and can't be read.
#include "checkpoint/memory/pages.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "sys/file.h"
#include "sys/remote_memory.h"

namespace umbel::checkpoint {

namespace {

using Is = sys::PageIs;
using remote::page;

// Only private mappings have pages that are not in the file or the shared memory behind them.
bool has_own_pages(const image::Mapping& mapping) {
  return mapping.backing != image::Backing::kernel && (mapping.flags & MAP_TYPE) == MAP_PRIVATE;
}

Result<std::vector<sys::PageRegion>> scan_old(FdRef pagemap, std::uint64_t start,
                                              std::uint64_t end) {
  constexpr std::uint64_t present = std::uint64_t{1} << 63, swapped = std::uint64_t{1} << 62,
                          file = std::uint64_t{1} << 61;
  std::vector<sys::PageRegion> found;
  std::vector<std::uint64_t> words(16384);
  for (std::uint64_t at = start; at < end;) {
    const std::size_t count = std::min<std::size_t>((end - at) / page, words.size());
    TRY(sys::read_all_at(
        pagemap, at / page * sizeof(std::uint64_t),
        {reinterpret_cast<std::uint8_t*>(words.data()), count * sizeof(words[0])}));
    for (std::size_t i = 0; i < count; ++i, at += page) {
      if ((words[i] & (present | swapped)) == 0 || (words[i] & file) != 0) continue;
      if (!found.empty() && found.back().end == at)
        found.back().end += page;
      else
        found.push_back({.start = at, .end = at + page});
    }
  }
  return found;
}

Result<std::vector<sys::PageRegion>> scan_mapping(FdRef pagemap, const image::Mapping& mapping) {
  Result<std::vector<sys::PageRegion>> found =
      sys::scan_pages(pagemap, {.start = mapping.start,
                                .end = mapping.end,
                                .inverted = Is::file | Is::zero,
                                .all_of = Is::file | Is::zero,
                                .any_of = Is::present | Is::swapped,
                                .report = Is::guard | Is::written});
  if (!found && found.error().code == ENOTTY) return scan_old(pagemap, mapping.start, mapping.end);
  // Guards were added to a later kernel than the scan.
  if (!found && found.error().code == EINVAL)
    return sys::scan_pages(pagemap, {.start = mapping.start,
                                     .end = mapping.end,
                                     .inverted = Is::file | Is::zero,
                                     .all_of = Is::file | Is::zero,
                                     .any_of = Is::present | Is::swapped,
                                     .report = Is::written});
  return found;
}

}  // namespace

Result<OwnPages> find_own_pages(const Process& process, const image::Memory& memory,
                                const std::set<std::uint64_t>& watched) {
  const Fd pagemap = TRY(sys::open(process.facts.dir(), "pagemap", O_RDONLY));
  OwnPages own;
  for (const image::Mapping& mapping : memory.mappings) {
    if (!has_own_pages(mapping)) continue;
    for (const sys::PageRegion& region : TRY(scan_mapping(pagemap, mapping))) {
      if ((region.categories & Is::guard) != 0)
        own.guards.push_back({.start = region.start, .end = region.end});
      else
        own.ranges.push_back({.start = region.start,
                              .end = region.end,
                              .keep_zeroes = mapping.backing != image::Backing::anonymous,
                              .written = !watched.contains(mapping.start) ||
                                         (region.categories & Is::written) != 0});
    }
  }
  return own;
}

}  // namespace umbel::checkpoint
