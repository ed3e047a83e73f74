// One buffer of a megabyte stays in the processor's cache: pages are read into it, looked at for
// zeroes, summed and written from it. Most memory can be had with process_vm_readv(2); what its
// protection forbids, through /proc/PID/mem, and so are pages that processes share since a fork:
// the former pins pages, for which the kernel (Linux 5.19) gives the process a copy of its own. A
// private mapping of a file has a page of its own only
// where it was written to.
#include "checkpoint/memory/copy.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "checkpoint/memory/pages.h"
#include "sys/memory.h"
#include "sys/remote_memory.h"

namespace umbel::checkpoint {

namespace {

using remote::page;

constexpr std::size_t buffer_size = 1 << 20;

bool is_zero(const std::uint8_t* bytes) {
  // Whether it equals itself one byte on, after the first byte was seen to be zero.
  return bytes[0] == 0 && std::memcmp(bytes, bytes + 1, page - 1) == 0;
}

class PageCopy {
 public:
  PageCopy(image::Writer& writer, std::vector<image::PageRun>& runs)
      : writer_(writer), runs_(runs), buffer_(buffer_size) {}

  std::span<std::uint8_t> room(std::uint64_t wanted) {
    return std::span(buffer_).subspan(used_, std::min<std::uint64_t>(wanted, buffer_size - used_));
  }
  // The first `size` bytes of the room are pages of `address`.
  Result<void> took(std::uint64_t address, std::uint64_t size, bool keep_zeroes) {
    std::uint8_t* const from = buffer_.data() + used_;
    std::uint64_t kept = 0;
    for (std::uint64_t at = 0; at < size; at += page) {
      if (!keep_zeroes && is_zero(from + at)) continue;
      if (kept != at) std::memcpy(from + kept, from + at, page);
      add(address + at, used_ + kept);
      kept += page;
    }
    used_ += kept;
    return used_ == buffer_size ? flush() : Result<void>();
  }
  Result<void> flush() {
    if (used_ == 0) return {};
    const std::uint64_t offset = TRY(writer_.append_pages(std::span(buffer_).first(used_)));
    for (image::PageRun& run : pending_) {
      run.offset += offset;
      const bool joins = !runs_.empty() &&
                         runs_.back().address + runs_.back().size == run.address &&
                         runs_.back().offset + runs_.back().size == run.offset;
      if (joins)
        runs_.back().size += run.size;
      else
        runs_.push_back(run);
    }
    written_ += used_ / page;
    pending_.clear();
    used_ = 0;
    return {};
  }
  std::uint64_t written() const { return written_; }

 private:
  void add(std::uint64_t address, std::uint64_t at) {
    if (!pending_.empty() && pending_.back().address + pending_.back().size == address)
      pending_.back().size += page;
    else
      pending_.push_back({.address = address, .size = page, .offset = at});
  }
  image::Writer& writer_;
  std::vector<image::PageRun>& runs_;
  std::vector<std::uint8_t> buffer_;
  std::vector<image::PageRun> pending_;  // with offsets in the buffer
  std::uint64_t used_ = 0, written_ = 0;
};

Result<void> read_pages(const Process& process, std::uint64_t address, std::span<std::uint8_t> into,
                        const PageRange& range) {
  if (!range.shared) {
    const Result<void> direct = sys::read_memory(process.alive(), address, into);
    if (direct || direct.error().code != EFAULT) return direct;
  }
  return sys::read_all_at(process.memory, address, into);
}

}  // namespace

namespace {

// What the earlier image has of a range that was not written to since; the rest has to be copied.
std::vector<PageRange> take_earlier(const PageRange& range, const Earlier& earlier,
                                    std::vector<image::PageRun>& runs, Copied& copied) {
  if (range.written || !earlier) return {range};
  std::vector<PageRange> left;
  const auto& pages = earlier.tracked->pages;
  std::uint64_t at = range.start;
  auto run = std::ranges::upper_bound(pages, range.start, {}, &image::PageRun::address);
  if (run != pages.begin()) --run;
  for (; run != pages.end() && run->address < range.end; ++run) {
    const std::uint64_t start = std::max(at, run->address),
                        end = std::min(range.end, run->address + run->size);
    if (start >= end) continue;
    if (start > at) {
      left.push_back(range);
      left.back().start = at;
      left.back().end = start;
    }
    runs.push_back({.address = start,
                    .size = end - start,
                    .offset = run->offset + (start - run->address),
                    .image = run->image + 1});
    copied.in_parent += (end - start) / page;
    at = end;
  }
  if (at < range.end) {
    left.push_back(range);
    left.back().start = at;
  }
  return left;
}

Result<void> copy_range(PageCopy& copy, const Process& process, const PageRange& range) {
  for (std::uint64_t at = range.start; at < range.end;) {
    const std::span<std::uint8_t> room = copy.room(range.end - at);
    TRY(during("reading the memory of " + process.named(), read_pages(process, at, room, range)));
    TRY(copy.took(at, room.size(), range.keep_zeroes));
    at += room.size();
  }
  return {};
}

// The process runs: a page may be gone by now, and then is no page of the next dump either.
Result<void> copy_what_is_there(PageCopy& copy, const Process& process, const PageRange& range) {
  for (std::uint64_t at = range.start; at < range.end;) {
    std::span<std::uint8_t> room = copy.room(range.end - at);
    Result<void> got = read_pages(process, at, room, range);
    if (!got && room.size() > page) {
      room = room.first(page);
      got = read_pages(process, at, room, range);
    }
    if (got) TRY(copy.took(at, room.size(), range.keep_zeroes));
    at += room.size();
  }
  return {};
}

Result<Copied> copy_own(image::Writer& writer, const Process& process, const OwnPages& own,
                        const Earlier& earlier, std::vector<image::PageRun>& runs,
                        Result<void> (*copy_one)(PageCopy&, const Process&, const PageRange&)) {
  PageCopy copy(writer, runs);
  Copied copied;
  std::vector<image::PageRun> there;
  for (const PageRange& range : own.ranges) {
    copied.scanned += (range.end - range.start) / page;
    for (const PageRange& left : take_earlier(range, earlier, there, copied))
      TRY(copy_one(copy, process, left));
  }
  TRY(copy.flush());
  copied.written = copy.written();
  runs.insert(runs.end(), there.begin(), there.end());
  std::ranges::sort(runs, {}, &image::PageRun::address);
  return copied;
}

}  // namespace

Copied& Copied::operator+=(const Copied& other) {
  scanned += other.scanned;
  written += other.written;
  in_parent += other.in_parent;
  return *this;
}

Earlier earlier_of(const Chain& chain, const Process& process,
                   const std::vector<proc::Mapping>& mappings) {
  Earlier earlier{.tracked = chain.find(process)};
  if (!earlier) return earlier;
  for (const proc::Mapping& mapping : mappings)
    if (is_watched(mapping)) earlier.watched.insert(mapping.start);
  return earlier;
}

Result<Copied> copy_pages(image::Writer& writer, const Process& process, image::Memory& memory,
                          const Earlier& earlier, const std::optional<Parent>& parent) {
  OwnPages own = TRY(find_own_pages(process, memory, earlier.watched));
  if (parent) TRY(leave_to_parent(*parent, process, memory, own));
  memory.guards = own.guards;
  return copy_own(writer, process, own, earlier, memory.pages, copy_range);
}

Result<Copied> copy_running(image::Writer& writer, const Process& process, const OwnPages& own,
                            const Earlier& earlier, std::vector<image::PageRun>& pages) {
  return copy_own(writer, process, own, earlier, pages, copy_what_is_there);
}

Result<std::vector<image::PageRun>> copy_file_pages(image::Writer& writer, FdRef file,
                                                    std::uint64_t size) {
  std::vector<image::PageRun> runs;
  PageCopy copy(writer, runs);
  for (const sys::Range& range : TRY(sys::data_ranges(file, remote::page_up(size)))) {
    for (std::uint64_t at = range.start / page * page; at < range.end;) {
      const std::span<std::uint8_t> room = copy.room(remote::page_up(range.end) - at);
      const std::size_t got = TRY(sys::read_at(file, at, room));
      // The last page of a file of odd length.
      std::ranges::fill(room.subspan(got), std::uint8_t{0});
      TRY(copy.took(at, room.size(), false));
      at += room.size();
    }
  }
  TRY(copy.flush());
  return runs;
}

namespace {

// Shared by both ways of filling: hands on what the image has, piece by piece.
template <class Put>
Result<std::uint64_t> each_piece(const image::Reader& reader, std::span<const image::PageRun> runs,
                                 Put put) {
  image::PageSource source(reader);
  std::uint64_t filled = 0;
  for (const image::PageRun& run : runs) {
    for (std::uint64_t done = 0; done < run.size;) {
      const auto piece = TRY(source.at(run.image, run.offset + done, run.size - done));
      TRY(put(run.address + done, piece));
      done += piece.size();
    }
    filled += run.size / page;
  }
  return filled;
}

}  // namespace

Result<std::uint64_t> fill_pages(const image::Reader& reader, const image::Memory& memory,
                                 HostPid pid, FdRef process_memory) {
  return each_piece(
      reader, memory.pages,
      [&](std::uint64_t address, std::span<const std::uint8_t> piece) -> Result<void> {
        const Result<void> direct = sys::write_memory(pid, address, piece);
        if (direct || direct.error().code != EFAULT) return direct;
        return during("filling memory of process " + std::to_string(pid.value()),
                      sys::write_all_at(process_memory, address, piece));
      });
}

Result<void> fill_file_pages(const image::Reader& reader, std::span<const image::PageRun> pages,
                             FdRef file) {
  TRY(each_piece(reader, pages, [&](std::uint64_t at, std::span<const std::uint8_t> piece) {
    return sys::write_all_at(file, at, piece);
  }));
  return {};
}

}  // namespace umbel::checkpoint
