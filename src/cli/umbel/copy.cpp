// Owners before modes, since chown(2) clears set-id bits; times last, since everything else changes
// them.
#include "cli/umbel/copy.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <span>

#include "sys/file.h"
#include "sys/inode.h"

namespace umbel::cli {

namespace {

constexpr mode_t set_id_bits = S_ISUID | S_ISGID;

bool goes_out(const CopyRules& rules) { return rules.direction == Direction::out_of_container; }
bool is_device(const struct stat& file) { return S_ISCHR(file.st_mode) || S_ISBLK(file.st_mode); }

std::uint32_t translated(std::span<const ns::IdRange> map, std::uint32_t id, Direction direction) {
  if (direction == Direction::out_of_container) return inside_id(map, id).value_or(id);
  // An id that the container has not becomes its root's.
  return outside_id(map, id).value_or(outside_id(map, 0).value_or(id));
}

Result<void> copy_attributes(FdRef from, FdRef to, const CopyRules& rules) {
  for (const std::string& name : TRY(sys::extended_attribute_names(from))) {
    const bool capability = name == "security.capability";
    if (!name.starts_with("user.") && !(capability && !goes_out(rules))) continue;
    const std::optional<std::string> value = TRY(sys::extended_attribute(from, name));
    if (!value) continue;
    Result<void> set = sys::set_extended_attribute(to, name, *value);
    if (!set && set.error().code != ENOTSUP && set.error().code != EPERM) return set;
  }
  return {};
}

// The place is free for something that is no directory, or holds a file to be overwritten.
Result<void> make_room(const Entry& to, mode_t type) {
  const Result<struct stat> there = sys::status_at(to.directory, to.name);
  if (!there) return {};
  if (S_ISDIR(there->st_mode))
    return fail_with(EISDIR, to.name + " is a directory there", "remove it first");
  if (S_ISREG(there->st_mode) && S_ISREG(type)) return {};
  return sys::remove_file(to.directory, to.name);
}

// Owner, mode and attributes of what lies open on both sides.
Result<void> make_like(FdRef from, FdRef to, const struct stat& like, const CopyRules& rules) {
  if (rules.keep_owners)
    TRY(sys::change_owner(to, translated(rules.uid_map, like.st_uid, rules.direction),
                          translated(rules.gid_map, like.st_gid, rules.direction)));
  const bool drops = goes_out(rules) && !S_ISDIR(like.st_mode);
  TRY(sys::change_mode(to, like.st_mode & 07777 & ~(drops ? set_id_bits : 0)));
  return copy_attributes(from, to, rules);
}

Result<void> copy_file(const Entry& from, const Entry& to, const struct stat& like,
                       const CopyRules& rules) {
  // A fifo or device that takes the file's place meanwhile must not hold us up.
  const Fd source = TRY(sys::open(from.directory, from.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  if (!S_ISREG(TRY(sys::status(source)).st_mode))
    return fail(from.name + " was replaced meanwhile");
  const Fd target = TRY(sys::open(to.directory, to.name,
                                  O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (!S_ISREG(TRY(sys::status(target)).st_mode)) return fail(to.name + " was replaced meanwhile");
  TRY(sys::copy_contents(source, target));
  return make_like(source, target, like, rules);
}

Result<void> copy_directory(const Entry& from, const Entry& to, const struct stat& like,
                            const CopyRules& rules) {
  if (to.name != ".") {
    const Result<void> made = sys::make_directory(to.directory, to.name, 0700);
    if (!made && made.error().code != EEXIST) return made;
  }
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  const Fd source = TRY(sys::open(from.directory, from.name, flags));
  const Fd target = TRY(sys::open(to.directory, to.name, flags));
  for (const std::string& name : TRY(sys::list(source, ".")))
    TRY(during(name, copy_entry({source, name}, {target, name}, rules)));
  return make_like(source, target, like, rules);
}

Result<void> copy_other(const Entry& from, const Entry& to, const struct stat& like,
                        const CopyRules& rules) {
  if (S_ISLNK(like.st_mode))
    TRY(sys::symlink(TRY(sys::readlink(from.directory, from.name)), to.directory, to.name));
  else
    TRY(sys::make_node(to.directory, to.name, like.st_mode, like.st_rdev));
  if (!rules.keep_owners) return {};
  return sys::change_owner_at(to.directory, to.name,
                              translated(rules.uid_map, like.st_uid, rules.direction),
                              translated(rules.gid_map, like.st_gid, rules.direction));
}

}  // namespace

std::optional<std::uint32_t> outside_id(std::span<const ns::IdRange> map, std::uint32_t inside) {
  for (const ns::IdRange& range : map)
    if (inside >= range.inside && inside - range.inside < range.count)
      return range.outside + (inside - range.inside);
  return std::nullopt;
}

std::optional<std::uint32_t> inside_id(std::span<const ns::IdRange> map, std::uint32_t outside) {
  for (const ns::IdRange& range : map)
    if (outside >= range.outside && outside - range.outside < range.count)
      return range.inside + (outside - range.outside);
  return std::nullopt;
}

Result<void> copy_entry(const Entry& from, const Entry& to, const CopyRules& rules) {
  const struct stat like = TRY(sys::status_at(from.directory, from.name));
  if (goes_out(rules) && is_device(like)) return {};
  if (S_ISDIR(like.st_mode)) {
    TRY(copy_directory(from, to, like, rules));
  } else {
    TRY(make_room(to, like.st_mode));
    TRY(S_ISREG(like.st_mode) ? copy_file(from, to, like, rules)
                              : copy_other(from, to, like, rules));
  }
  return sys::set_times_at(to.directory, to.name, like);
}

}  // namespace umbel::cli
