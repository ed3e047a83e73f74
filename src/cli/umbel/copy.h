// Copies a file or a tree by descriptor: no name in it is followed, so that what a container has
// put there, or changes meanwhile, can't lead out of it or into it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "ns/settings.h"

namespace umbel::cli {

// One entry of an open directory; "." is the directory itself.
struct Entry {
  FdRef directory;
  std::string name;
};

enum class Direction { into_container, out_of_container };
struct CopyRules {
  Direction direction = Direction::into_container;
  // The container's ids as the caller's user namespace counts them; files keep their numbers.
  std::vector<ns::IdRange> uid_map, gid_map;
  bool keep_owners = true;  // only root may give files away
};

// Content, mode, owner, times and extended attributes. What exists is overwritten, directories are
// merged. On the way out set-id bits, file capabilities and device nodes, which could give a
// container's program rights on the host, are left behind.
Result<void> copy_entry(const Entry& from, const Entry& to, const CopyRules& rules);

// 0 of a container with the map 0:100000:65536 is 100000 outside; nullopt where it is not mapped.
std::optional<std::uint32_t> outside_id(std::span<const ns::IdRange> map, std::uint32_t inside);
std::optional<std::uint32_t> inside_id(std::span<const ns::IdRange> map, std::uint32_t outside);

}  // namespace umbel::cli
