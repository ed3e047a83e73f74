// Which pages of a process are its own: neither those of a file behind them nor never touched.
#pragma once

#include <set>
#include <span>
#include <vector>

#include "checkpoint/freeze/tree.h"
#include "checkpoint/image/records.h"

namespace umbel::checkpoint {

struct PageRange {
  std::uint64_t start = 0, end = 0;
  bool keep_zeroes = false;  // something other than zeroes is behind them
  bool written = true;       // since the dump before, as far as is known
  bool shared = false;       // another process has the same page, from a fork
};
// Adds a page of the same sort, to the last range if it follows that.
void add_page(std::vector<PageRange>& ranges, const PageRange& like, std::uint64_t address);
// The ranges in order, several at a time that lie close together: for what is asked about all the
// pages of a stretch at once.
constexpr std::uint64_t longest_stretch = 16384 * remote::page;
std::vector<std::span<const PageRange>> stretches(std::span<const PageRange> ranges);
// Cut so that each fits in a stretch.
std::vector<PageRange> cut(std::span<const PageRange> ranges);

// The words of /proc/PID/pagemap.
struct PageWord {
  static constexpr std::uint64_t frame = (std::uint64_t{1} << 55) - 1,
                                 exclusive = std::uint64_t{1} << 56, file = std::uint64_t{1} << 61,
                                 swapped = std::uint64_t{1} << 62, present = std::uint64_t{1} << 63;
};
Result<std::vector<std::uint64_t>> page_words(FdRef pagemap, std::uint64_t start,
                                              std::uint64_t end);

struct OwnPages {
  std::vector<PageRange> ranges;
  std::vector<image::GuardRange> guards;
};
// `watched`: mappings, by their starts, of which it is known which pages were written to.
Result<OwnPages> find_own_pages(const Process& process, const image::Memory& memory,
                                const std::set<std::uint64_t>& watched);

}  // namespace umbel::checkpoint
