// A hash of the key names the file; the file holds the key itself, which must be equal to the byte:
// xxHash is no cryptographic hash, so whoever may bring a profile could make one that collides with
// another's, and have his own filter used for it. A checksum over all of the rest makes a torn or
// damaged file read as absent. The directory's owner and mode keep everybody else out; both are
// asked of the open descriptor.
#include "security/seccomp_cache.h"

#include <fcntl.h>
#include <xxhash.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "sys/file.h"
#include "sys/identity.h"

namespace umbel::security {

namespace {

// Each is some 20 KB, in memory where /run is a tmpfs; a host has few different profiles.
constexpr std::size_t most_entries = 128;
constexpr std::size_t largest_entry = std::size_t{1} << 20;
constexpr std::array<char, 8> magic{'u', 'm', 'b', 'e', 'l', 'b', 'p', 'f'};

// Everything but the checksum is under it: the rest of the header, the key, the program.
struct Header {
  std::array<char, 8> mark = magic;
  std::uint64_t checksum = 0;
  std::uint32_t key_size = 0, program_size = 0;
  std::uint32_t flags = 0, listener = 0;
};
static_assert(sizeof(Header) == 32);
constexpr std::size_t checked_from = offsetof(Header, key_size);

std::uint64_t checksum(std::string_view entry) {
  const std::string_view rest = entry.substr(checked_from);
  return XXH3_64bits(rest.data(), rest.size());
}

std::string file_name(std::string_view key) {
  const XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  std::array<char, 33> text{};
  std::snprintf(text.data(), text.size(), "%016llx%016llx",
                static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return text.data();
}

Result<Fd> open_own(const std::string& path) {
  Fd dir = TRY(sys::open(cwd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  const struct stat found = TRY(sys::status(dir));
  if (found.st_uid != sys::own_uid())
    return fail_with(EPERM, path + " belongs to user " + std::to_string(found.st_uid),
                     "remove it: umbel makes it anew");
  if ((found.st_mode & 077) != 0)
    return fail_with(EPERM, path + " is open to other users", "chmod 700 " + path);
  return dir;
}

Result<std::string> read_entry(FdRef dir, const std::string& name) {
  const Fd file = TRY(sys::open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  const struct stat found = TRY(sys::status(file));
  const auto size = static_cast<std::size_t>(found.st_size);
  if (!S_ISREG(found.st_mode) || found.st_uid != sys::own_uid() || (found.st_mode & 022) != 0 ||
      size < sizeof(Header) || size > largest_entry)
    return fail(name + " is no entry of umbel's");
  std::string text(size, '\0');
  for (std::size_t used = 0; used < size;) {
    const std::size_t count = TRY(sys::read(file, std::span(text).subspan(used)));
    if (count == 0) return fail(name + " is cut short");
    used += count;
  }
  return text;
}

}  // namespace

Result<FilterCache> FilterCache::open(const std::string& path) {
  Result<Fd> dir = open_own(path);
  if (!dir && dir.error().code == ENOENT) {
    const Result<void> made = sys::make_directory(cwd, path, 0700);
    if (!made && made.error().code != EEXIST)
      return Failure(during("the cache of filters", Result<void>(made)).error());
    dir = open_own(path);
  }
  if (!dir) return Failure(during("the cache of filters", std::move(dir)).error());
  return FilterCache(std::move(*dir));
}

std::optional<Filter> FilterCache::find(std::string_view key) const {
  const Result<std::string> text = read_entry(dir_, file_name(key));
  if (!text) return std::nullopt;
  Header header;
  std::memcpy(&header, text->data(), sizeof header);
  const std::string_view rest = std::string_view(*text).substr(sizeof header);
  if (header.mark != magic || header.checksum != checksum(*text) || header.key_size > rest.size() ||
      rest.size() - header.key_size != header.program_size || header.program_size == 0 ||
      rest.substr(0, header.key_size) != key)
    return std::nullopt;
  const std::string_view program = rest.substr(header.key_size);
  return Filter{.program = std::vector<std::uint8_t>(program.begin(), program.end()),
                .flags = header.flags,
                .listener = header.listener != 0};
}

Result<void> FilterCache::store(std::string_view key, const Filter& filter) const {
  Header header{.key_size = static_cast<std::uint32_t>(key.size()),
                .program_size = static_cast<std::uint32_t>(filter.program.size()),
                .flags = filter.flags,
                .listener = filter.listener ? 1U : 0U};
  std::string text(sizeof header, '\0');
  std::memcpy(text.data(), &header, sizeof header);
  text.append(key);
  text.append(filter.program.begin(), filter.program.end());
  if (text.size() > largest_entry) return {};
  header.checksum = checksum(text);
  std::memcpy(text.data(), &header, sizeof header);
  const std::vector<std::string> present = TRY(sys::list(dir_, "."));
  if (present.size() >= most_entries)
    for (const std::string& name : present) (void)sys::remove_file(dir_, name);
  return sys::replace_file(dir_, file_name(key), text, 0600);
}

}  // namespace umbel::security
