// Which pages of a process are its own: neither those of a file behind them nor never touched.
#pragma once

#include <set>
#include <vector>

#include "checkpoint/freeze/tree.h"
#include "checkpoint/image/records.h"

namespace umbel::checkpoint {

struct PageRange {
  std::uint64_t start = 0, end = 0;
  bool keep_zeroes = false;  // something other than zeroes is behind them
  bool written = true;       // since the dump before, as far as is known
};
struct OwnPages {
  std::vector<PageRange> ranges;
  std::vector<image::GuardRange> guards;
};
// `watched`: mappings, by their starts, of which it is known which pages were written to.
Result<OwnPages> find_own_pages(const Process& process, const image::Memory& memory,
                                const std::set<std::uint64_t>& watched);

}  // namespace umbel::checkpoint
