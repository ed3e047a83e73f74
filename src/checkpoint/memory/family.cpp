// Two processes have a page in common if the same page frame (or place in swap) is at the same
// address in both: bits 0-54 of their words in /proc/PID/pagemap. Both are frozen, but the kernel
// may move pages meanwhile, so the child's word is read before and after the parent's; when they
// differ the page is copied as any other. Only where both sides' mappings are of one kind can a
// child keep the one that it was born with: dump and restore ask the same function.
#include "checkpoint/memory/family.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>

#include "sys/file.h"
#include "sys/remote_memory.h"

namespace umbel::checkpoint {

namespace {

namespace call = remote::call;
using remote::page;

using Words = std::vector<std::uint64_t>;

bool same_kind(const image::Mapping& parent, const image::Mapping& child) {
  if (parent.backing != child.backing || parent.flags != child.flags ||
      parent.accounted != child.accounted || parent.object != child.object)
    return false;
  return child.backing == image::Backing::anonymous ||
         parent.offset - parent.start == child.offset - child.start;
}

// The parent has memory of the same kind all over it.
bool can_be_kept(const image::Memory& parent, const image::Mapping& mapping) {
  const bool has_pages =
      (mapping.flags & MAP_TYPE) == MAP_PRIVATE &&
      (mapping.backing == image::Backing::anonymous || mapping.backing == image::Backing::file);
  if (!has_pages) return false;
  std::uint64_t at = mapping.start;
  for (const image::Mapping& other : parent.mappings) {
    if (other.end <= at) continue;
    if (other.start > at || !same_kind(other, mapping)) return false;
    at = other.end;
    if (at >= mapping.end) return true;
  }
  return false;
}

class Comparison {
 public:
  static Result<Comparison> of(const Process& parent, const Process& child) {
    Comparison made;
    made.parent_ = TRY(sys::open(parent.facts.dir(), "pagemap", O_RDONLY));
    made.child_ = TRY(sys::open(child.facts.dir(), "pagemap", O_RDONLY));
    return made;
  }
  // For each page whether it is the same one.
  Result<std::vector<bool>> same(std::uint64_t start, std::uint64_t end) {
    const Words before = TRY(page_words(child_, start, end)),
                theirs = TRY(page_words(parent_, start, end)),
                after = TRY(page_words(child_, start, end));
    std::vector<bool> same(before.size());
    for (std::size_t i = 0; i < same.size(); ++i)
      same[i] =
          is_page(before[i]) && key(before[i]) == key(theirs[i]) && key(before[i]) == key(after[i]);
    return same;
  }

 private:
  // Without the privilege the frame shows as 0.
  static bool is_page(std::uint64_t word) {
    return (word & PageWord::frame) != 0 && (word & (PageWord::present | PageWord::swapped)) != 0;
  }
  static std::uint64_t key(std::uint64_t word) {
    return word & (PageWord::frame | PageWord::present | PageWord::swapped);
  }
  Fd parent_, child_;
};

void add_page(std::vector<image::GuardRange>& ranges, std::uint64_t address) {
  if (!ranges.empty() && ranges.back().end == address)
    ranges.back().end += page;
  else
    ranges.push_back({.start = address, .end = address + page});
}

// The ranges whose pages the child can keep.
std::vector<PageRange> candidates(const Parent& parent, const image::Memory& memory,
                                  const OwnPages& own, std::vector<PageRange>& others) {
  std::vector<PageRange> found;
  auto mapping = memory.mappings.begin();
  for (const PageRange& range : own.ranges) {
    // A range lies in one mapping, and both lists are in the order of addresses.
    while (mapping->end <= range.start) ++mapping;
    (range.shared && can_be_kept(parent.memory, *mapping) ? found : others).push_back(range);
  }
  return cut(found);
}

using Ranges = std::span<const image::GuardRange>;
// The shared pages of a mapping.
Ranges within(const image::Memory& memory, const image::Mapping& mapping) {
  const auto& all = memory.with_parent;
  const auto first = std::ranges::upper_bound(all, mapping.start, {}, &image::GuardRange::end);
  const auto last = std::ranges::lower_bound(all, mapping.end, {}, &image::GuardRange::start);
  return first < last ? Ranges(first, last) : Ranges();
}

bool has_other_protection(const image::Memory& parent, const image::Mapping& mapping) {
  return std::ranges::any_of(parent.mappings, [&](const image::Mapping& other) {
    return other.start < mapping.end && other.end > mapping.start &&
           first_protection(other) != first_protection(mapping);
  });
}

Result<void> drop(Inside& in, remote::SystemCall how, std::uint64_t start, std::uint64_t end) {
  if (start >= end) return {};
  TRY(in.session.make_room(in.batch, 1));
  in.batch.call(how, start, end - start, MADV_DONTNEED);  // munmap takes no third argument
  return {};
}

Result<void> keep(Inside& in, const Heritage& heritage, const image::Mapping& mapping) {
  std::uint64_t at = mapping.start;
  for (const image::GuardRange& shared : within(in.process.memory, mapping)) {
    TRY(drop(in, call::madvise, at, shared.start));
    at = shared.end;
  }
  TRY(drop(in, call::madvise, at, mapping.end));
  if (!has_other_protection(heritage.parent, mapping)) return {};
  TRY(in.session.make_room(in.batch, 1));
  in.batch.call(call::mprotect, mapping.start, mapping.size(), first_protection(mapping));
  return {};
}

}  // namespace

Result<void> leave_to_parent(const Parent& parent, const Process& process, image::Memory& memory,
                             OwnPages& own) {
  std::vector<PageRange> left;
  const std::vector<PageRange> all = candidates(parent, memory, own, left);
  if (all.empty()) return {};
  Comparison comparison = TRY(Comparison::of(parent.process, process));
  for (const auto& stretch : stretches(all)) {
    const std::uint64_t start = stretch.front().start;
    const std::vector<bool> same = TRY(comparison.same(start, stretch.back().end));
    for (const PageRange& range : stretch)
      for (std::uint64_t at = range.start; at < range.end; at += page) {
        if (same[(at - start) / page])
          add_page(memory.with_parent, at);
        else
          add_page(left, range, at);
      }
  }
  std::ranges::sort(left, {}, &PageRange::start);
  own.ranges = std::move(left);
  return {};
}

bool was_writable(const image::Mapping& mapping) {
  return mapping.accounted && (mapping.protection & PROT_WRITE) == 0 &&
         (mapping.flags & MAP_TYPE) == MAP_PRIVATE;
}

std::uint32_t first_protection(const image::Mapping& mapping) {
  return mapping.protection | (was_writable(mapping) ? PROT_WRITE : 0U);
}

bool is_kept(const Heritage& heritage, const image::Memory& memory, const image::Mapping& mapping) {
  return can_be_kept(heritage.parent, mapping) && !within(memory, mapping).empty();
}

Result<void> keep_from_parent(Inside& in, const Heritage& heritage) {
  constexpr std::uint64_t end_of_addresses = 0x7ffffffff000;
  std::uint64_t at = 0;
  const auto spare = [&](std::uint64_t start, std::uint64_t end) -> Result<void> {
    TRY(drop(in, call::munmap, at, start));
    at = end;
    return {};
  };
  bool passed = false;
  const std::uint64_t workplace_end = heritage.workplace + heritage.workplace_size;
  for (const image::Mapping& mapping : in.process.memory.mappings) {
    if (!is_kept(heritage, in.process.memory, mapping)) continue;
    if (!passed && heritage.workplace < mapping.start) {
      TRY(spare(heritage.workplace, workplace_end));
      passed = true;
    }
    TRY(spare(mapping.start, mapping.end));
    TRY(keep(in, heritage, mapping));
  }
  if (!passed) TRY(spare(heritage.workplace, workplace_end));
  return drop(in, call::munmap, at, end_of_addresses);
}

}  // namespace umbel::checkpoint
