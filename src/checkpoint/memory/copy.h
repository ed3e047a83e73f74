// Pages into the image and out of it.
#pragma once

#include <set>
#include <span>
#include <vector>

#include "checkpoint/memory/chain.h"
#include "checkpoint/memory/family.h"
#include "checkpoint/memory/pages.h"
#include "checkpoint/resource/context.h"

namespace umbel::checkpoint {

// The pages of a frozen process that its backings don't have: fills memory.pages and .guards.
// Pages of zeroes are left out where nothing is behind them.
struct Copied {
  std::uint64_t scanned = 0, written = 0, in_parent = 0;
  Copied& operator+=(const Copied& other);
};
// What the dump before has of this process.
struct Earlier {
  const image::Tracked* tracked = nullptr;
  std::set<std::uint64_t> watched = {};  // starts of mappings that were watched since
  explicit operator bool() const { return tracked != nullptr; }
};
Earlier earlier_of(const Chain& chain, const Process& process,
                   const std::vector<proc::Mapping>& mappings);
// In two steps, for a process that runs on meanwhile: what vanishes in between is left out.
Result<Copied> copy_running(image::Writer& writer, const Process& process, const OwnPages& own,
                            const Earlier& earlier, std::vector<image::PageRun>& pages);
// Of the child of `parent`, only those that it does not have from it.
Result<Copied> copy_pages(image::Writer& writer, const Process& process, image::Memory& memory,
                          const Earlier& earlier, const std::optional<Parent>& parent);
// Puts them into a process whose mappings are made, from any thread.
Result<std::uint64_t> fill_pages(const image::Reader& reader, const image::Memory& memory,
                                 HostPid pid, FdRef process_memory);

// The same for a file of the kernel's tmpfs.
Result<std::vector<image::PageRun>> copy_file_pages(image::Writer& writer, FdRef file,
                                                    std::uint64_t size);
Result<void> fill_file_pages(const image::Reader& reader, std::span<const image::PageRun> pages,
                             FdRef file);

}  // namespace umbel::checkpoint
