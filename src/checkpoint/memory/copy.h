// Pages into the image and out of it.
#pragma once

#include <span>
#include <vector>

#include "checkpoint/resource/context.h"

namespace umbel::checkpoint {

// The pages of a frozen process that its backings don't have: fills memory.pages and .guards.
// Pages of zeroes are left out where nothing is behind them.
struct Copied {
  std::uint64_t scanned = 0, written = 0;
};
Result<Copied> copy_pages(image::Writer& writer, const Process& process, image::Memory& memory);
// Puts them into a process whose mappings are made, from any thread.
Result<std::uint64_t> fill_pages(const image::Reader& reader, const image::Memory& memory,
                                 HostPid pid, FdRef process_memory);

// The same for a file of the kernel's tmpfs.
Result<std::vector<image::PageRun>> copy_file_pages(image::Writer& writer, FdRef file,
                                                    std::uint64_t size);
Result<void> fill_file_pages(const image::Reader& reader, std::span<const image::PageRun> pages,
                             FdRef file);

}  // namespace umbel::checkpoint
