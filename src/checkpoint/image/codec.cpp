// XXH3 costs less than the copy of the bytes it is of. An extent is compressed by itself, so that
// it can be read, and several be worked on, by itself.
#include "checkpoint/image/codec.h"

#include <xxhash.h>
#include <zstd.h>

#include <string>

namespace umbel::checkpoint::image {

std::uint64_t checksum(std::span<const std::uint8_t> bytes) {
  return ::XXH3_64bits(bytes.data(), bytes.size());
}

std::vector<std::uint8_t> compressed(std::span<const std::uint8_t> bytes, int level) {
  std::vector<std::uint8_t> made(::ZSTD_compressBound(bytes.size()));
  const std::size_t size =
      ::ZSTD_compress(made.data(), made.size(), bytes.data(), bytes.size(), level);
  if (::ZSTD_isError(size) != 0 || size >= bytes.size()) return {};
  made.resize(size);
  return made;
}

Result<void> decompress(std::span<const std::uint8_t> bytes, std::span<std::uint8_t> into) {
  const std::size_t size = ::ZSTD_decompress(into.data(), into.size(), bytes.data(), bytes.size());
  if (::ZSTD_isError(size) != 0)
    return fail("the image can't be unpacked: " + std::string(::ZSTD_getErrorName(size)));
  if (size != into.size()) return fail("a part of the image unpacks to another size");
  return {};
}

}  // namespace umbel::checkpoint::image
