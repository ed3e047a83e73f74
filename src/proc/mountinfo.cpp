// A line is
//   36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue
// with any number of tags before the lone "-". The kernel writes blanks, backslashes and line ends
// within a field as three octal digits (show_mnt_opts, seq_path).
#include "proc/mountinfo.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace umbel::proc {

namespace {

// Takes the next field off the line.
std::string_view field(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view found = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return found;
}

std::string unescaped(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto code = text[i] == '\\' ? unsigned_number(text.substr(i + 1, 3), 8) : std::nullopt;
    plain += code ? static_cast<char>(*code) : text[i];
    if (code) i += 3;
  }
  return plain;
}

bool read_tag(std::string_view text, Mount& mount) {
  struct Tag {
    std::string_view name;
    std::int64_t Mount::* group;
  };
  static constexpr std::array<Tag, 3> tags{{{"shared:", &Mount::shared},
                                            {"master:", &Mount::master},
                                            {"propagate_from:", &Mount::propagate_from}}};
  if (text == "unbindable") mount.unbindable = true;
  for (const Tag& tag : tags) {
    if (!text.starts_with(tag.name)) continue;
    const auto group = number(text.substr(tag.name.size()));
    if (!group) return false;
    mount.*tag.group = *group;
  }
  return true;  // tags of later kernels are passed over
}

bool read_numbers(std::string_view& line, Mount& mount) {
  const auto id = number(field(line));
  const auto parent = number(field(line));
  const auto device = cut(field(line), ':');
  if (!id || !parent || !device) return false;
  const auto major = unsigned_number(device->before);
  const auto minor = unsigned_number(device->after);
  if (!major || !minor) return false;
  mount.id = *id;
  mount.parent = *parent;
  mount.major = static_cast<std::uint32_t>(*major);
  mount.minor = static_cast<std::uint32_t>(*minor);
  return true;
}

// Whether `path` is `directory` or lies in it.
bool within(std::string_view path, std::string_view directory) {
  if (directory == "/") return path.starts_with('/');
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

const Mount* parent_of(const Mount& mount, std::span<const Mount> mounts) {
  const auto found = std::ranges::find(mounts, mount.parent, &Mount::id);
  return found == mounts.end() || &*found == &mount ? nullptr : &*found;
}

}  // namespace

Result<Mount> parse_mount(std::string_view line) {
  const Failure wrong = fail("'" + std::string(line) + "' is no line of mountinfo");
  std::string_view rest = line;
  Mount mount;
  if (!read_numbers(rest, mount)) return wrong;
  mount.root = unescaped(field(rest));
  mount.point = unescaped(field(rest));
  mount.options = field(rest);
  for (std::string_view tag = field(rest); tag != "-"; tag = field(rest))
    if (tag.empty() || !read_tag(tag, mount)) return wrong;
  mount.type = unescaped(field(rest));
  mount.source = unescaped(field(rest));
  mount.super_options = rest;
  if (mount.point.empty() || mount.type.empty()) return wrong;
  return mount;
}

Result<std::vector<Mount>> parse_mounts(std::string_view text) {
  std::vector<Mount> mounts;
  for (const std::string_view line : split(text, '\n'))
    if (!line.empty()) mounts.push_back(TRY(parse_mount(line)));
  return mounts;
}

// A sibling whose point lies on the way to ours was mounted later: had it been there before, the
// lookup would have gone through it, and it would be our parent.
bool hidden(const Mount& mount, std::span<const Mount> mounts) {
  const auto on_top = [&](const Mount& other) {
    return &other != &mount && other.parent == mount.id && other.point == mount.point;
  };
  if (std::ranges::any_of(mounts, on_top)) return true;
  const Mount* here = &mount;
  for (std::size_t depth = 0; here != nullptr && depth < mounts.size(); ++depth) {
    const auto covers = [here](const Mount& other) {
      return other.parent == here->parent && other.point.size() < here->point.size() &&
             other.id != here->parent && within(here->point, other.point);
    };
    if (std::ranges::any_of(mounts, covers)) return true;
    here = parent_of(*here, mounts);
  }
  return false;
}

const Mount* mount_of(std::string_view path, std::span<const Mount> mounts) {
  const Mount* best = nullptr;
  for (const Mount& mount : mounts) {
    if (!within(path, mount.point) || hidden(mount, mounts)) continue;
    if (best == nullptr || mount.point.size() >= best->point.size()) best = &mount;
  }
  return best;
}

}  // namespace umbel::proc
