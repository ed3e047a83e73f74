// PAGEMAP_SCAN (Linux 6.7) answers for the whole address space in one call; before it,
// /proc/PID/pagemap has a word a page: bit 63 present, 62 swapped, 61 of a file or shared, 56
// mapped only once. Guard areas (MADV_GUARD_INSTALL, Linux 6.13) count as swapped and can't be
// read.
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
  std::vector<sys::PageRegion> found;
  for (std::uint64_t from = start; from < end; from += longest_stretch) {
    const auto words = TRY(page_words(pagemap, from, std::min(end, from + longest_stretch)));
    std::uint64_t at = from;
    for (const std::uint64_t word : words) {
      const bool own =
          (word & (PageWord::present | PageWord::swapped)) != 0 && (word & PageWord::file) == 0;
      if (own && !found.empty() && found.back().end == at)
        found.back().end += page;
      else if (own)
        found.push_back({.start = at, .end = at + page});
      at += page;
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

// A page that is in swap is as good as shared: it is read the same way.
Result<void> mark_shared(FdRef pagemap, std::vector<PageRange>& ranges) {
  std::vector<PageRange> marked;
  const std::vector<PageRange> all = cut(ranges);
  for (const auto& stretch : stretches(all)) {
    const std::uint64_t start = stretch.front().start;
    const auto words = TRY(page_words(pagemap, start, stretch.back().end));
    for (PageRange range : stretch) {
      // Those of different mappings stay apart.
      std::vector<PageRange> parts;
      for (std::uint64_t at = range.start, end = range.end; at < end; at += page) {
        range.shared = (words[(at - start) / page] & PageWord::exclusive) == 0;
        add_page(parts, range, at);
      }
      marked.insert(marked.end(), parts.begin(), parts.end());
    }
  }
  ranges = std::move(marked);
  return {};
}

}  // namespace

void add_page(std::vector<PageRange>& ranges, const PageRange& like, std::uint64_t address) {
  const auto joins = [&](const PageRange& last) {
    return last.end == address && last.keep_zeroes == like.keep_zeroes &&
           last.written == like.written && last.shared == like.shared;
  };
  if (ranges.empty() || !joins(ranges.back())) {
    ranges.push_back(like);
    ranges.back().start = address;
  }
  ranges.back().end = address + page;
}

std::vector<PageRange> cut(std::span<const PageRange> ranges) {
  std::vector<PageRange> pieces;
  for (const PageRange& range : ranges)
    for (std::uint64_t at = range.start; at < range.end; at += longest_stretch) {
      pieces.push_back(range);
      pieces.back().start = at;
      pieces.back().end = std::min(range.end, at + longest_stretch);
    }
  return pieces;
}

std::vector<std::span<const PageRange>> stretches(std::span<const PageRange> ranges) {
  constexpr std::uint64_t gap = 512 * page;
  std::vector<std::span<const PageRange>> found;
  while (!ranges.empty()) {
    std::size_t count = 1;
    while (count < ranges.size() && ranges[count].start - ranges[count - 1].end <= gap &&
           ranges[count].end - ranges[0].start <= longest_stretch)
      ++count;
    found.push_back(ranges.first(count));
    ranges = ranges.subspan(count);
  }
  return found;
}

Result<std::vector<std::uint64_t>> page_words(FdRef pagemap, std::uint64_t start,
                                              std::uint64_t end) {
  std::vector<std::uint64_t> words((end - start) / page);
  TRY(sys::read_all_at(
      pagemap, start / page * sizeof(std::uint64_t),
      {reinterpret_cast<std::uint8_t*>(words.data()), words.size() * sizeof(words[0])}));
  return words;
}

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
  TRY(mark_shared(pagemap, own.ranges));
  return own;
}

}  // namespace umbel::checkpoint
