// Checksums and compression of what an image stores: XXH3 and zstd.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"

namespace umbel::checkpoint::image {

std::uint64_t checksum(std::span<const std::uint8_t> bytes);
// Empty where it would not become smaller.
std::vector<std::uint8_t> compressed(std::span<const std::uint8_t> bytes, int level);
// Into all of `into`.
Result<void> decompress(std::span<const std::uint8_t> bytes, std::span<std::uint8_t> into);

}  // namespace umbel::checkpoint::image
