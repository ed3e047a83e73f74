// One table holds every option word of mount(8) and of the OCI runtime specification with what it
// does; a word that is not in it belongs to the file system and is handed to it as it is.
//
// mount_setattr(2): the access-time setting is one number in three bits (MOUNT_ATTR__ATIME), so it
// is always cleared as a whole before it is set. "relatime" is 0, the kernel's default
// since 2.6.30, and therefore also what "atime", "norelatime" and "nostrictatime" come to.
#include "rootfs/plan.h"

#include <linux/mount.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace umbel::rootfs {

namespace {

enum class Means {
  attribute,         // set and clear, of the mount
  tree_attribute,    // set and clear, of the mount and all below it
  propagation,       // set
  tree_propagation,  // set
  super_block,       // a word that every file system understands
  bind,
  tree_bind,
  remount,
  copy_up,
  id_map,
  tree_id_map,
  nothing,  // the default, or without effect on Linux
};

struct Word {
  std::string_view name;
  Means means;
  std::uint64_t set = 0, clear = 0;
};

constexpr std::uint64_t atime = MOUNT_ATTR__ATIME;

constexpr std::array table = std::to_array<Word>({
    {"ro", Means::attribute, MOUNT_ATTR_RDONLY, 0},
    {"rw", Means::attribute, 0, MOUNT_ATTR_RDONLY},
    {"nosuid", Means::attribute, MOUNT_ATTR_NOSUID, 0},
    {"suid", Means::attribute, 0, MOUNT_ATTR_NOSUID},
    {"nodev", Means::attribute, MOUNT_ATTR_NODEV, 0},
    {"dev", Means::attribute, 0, MOUNT_ATTR_NODEV},
    {"noexec", Means::attribute, MOUNT_ATTR_NOEXEC, 0},
    {"exec", Means::attribute, 0, MOUNT_ATTR_NOEXEC},
    {"nosymfollow", Means::attribute, MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"symfollow", Means::attribute, 0, MOUNT_ATTR_NOSYMFOLLOW},
    {"nodiratime", Means::attribute, MOUNT_ATTR_NODIRATIME, 0},
    {"diratime", Means::attribute, 0, MOUNT_ATTR_NODIRATIME},
    {"noatime", Means::attribute, MOUNT_ATTR_NOATIME, atime},
    {"atime", Means::attribute, MOUNT_ATTR_RELATIME, atime},
    {"relatime", Means::attribute, MOUNT_ATTR_RELATIME, atime},
    {"norelatime", Means::attribute, MOUNT_ATTR_RELATIME, atime},
    {"strictatime", Means::attribute, MOUNT_ATTR_STRICTATIME, atime},
    {"nostrictatime", Means::attribute, MOUNT_ATTR_RELATIME, atime},

    {"rro", Means::tree_attribute, MOUNT_ATTR_RDONLY, 0},
    {"rrw", Means::tree_attribute, 0, MOUNT_ATTR_RDONLY},
    {"rnosuid", Means::tree_attribute, MOUNT_ATTR_NOSUID, 0},
    {"rsuid", Means::tree_attribute, 0, MOUNT_ATTR_NOSUID},
    {"rnodev", Means::tree_attribute, MOUNT_ATTR_NODEV, 0},
    {"rdev", Means::tree_attribute, 0, MOUNT_ATTR_NODEV},
    {"rnoexec", Means::tree_attribute, MOUNT_ATTR_NOEXEC, 0},
    {"rexec", Means::tree_attribute, 0, MOUNT_ATTR_NOEXEC},
    {"rnosymfollow", Means::tree_attribute, MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"rsymfollow", Means::tree_attribute, 0, MOUNT_ATTR_NOSYMFOLLOW},
    {"rnodiratime", Means::tree_attribute, MOUNT_ATTR_NODIRATIME, 0},
    {"rdiratime", Means::tree_attribute, 0, MOUNT_ATTR_NODIRATIME},
    {"rnoatime", Means::tree_attribute, MOUNT_ATTR_NOATIME, atime},
    {"ratime", Means::tree_attribute, MOUNT_ATTR_RELATIME, atime},
    {"rrelatime", Means::tree_attribute, MOUNT_ATTR_RELATIME, atime},
    {"rnorelatime", Means::tree_attribute, MOUNT_ATTR_RELATIME, atime},
    {"rstrictatime", Means::tree_attribute, MOUNT_ATTR_STRICTATIME, atime},
    {"rnostrictatime", Means::tree_attribute, MOUNT_ATTR_RELATIME, atime},

    {"private", Means::propagation, MS_PRIVATE},
    {"slave", Means::propagation, MS_SLAVE},
    {"shared", Means::propagation, MS_SHARED},
    {"unbindable", Means::propagation, MS_UNBINDABLE},
    {"rprivate", Means::tree_propagation, MS_PRIVATE},
    {"rslave", Means::tree_propagation, MS_SLAVE},
    {"rshared", Means::tree_propagation, MS_SHARED},
    {"runbindable", Means::tree_propagation, MS_UNBINDABLE},

    {"bind", Means::bind},
    {"rbind", Means::tree_bind},
    {"remount", Means::remount},
    {"tmpcopyup", Means::copy_up},
    {"idmap", Means::id_map},
    {"ridmap", Means::tree_id_map},

    {"sync", Means::super_block},
    {"dirsync", Means::super_block},
    {"lazytime", Means::super_block},
    {"mand", Means::super_block},

    {"defaults", Means::nothing},
    {"async", Means::nothing},
    {"nolazytime", Means::nothing},
    {"nomand", Means::nothing},
    {"iversion", Means::nothing},  // file systems that keep versions always do (Linux 6.0)
    {"noiversion", Means::nothing},
    {"acl", Means::nothing},
    {"silent", Means::nothing},
    {"loud", Means::nothing},
});

// Known to file systems that containers mount often; only for suggestions.
constexpr std::array file_system_words = std::to_array<std::string_view>(
    {"size",        "mode",         "uid",      "gid",       "nr_inodes", "nr_blocks",  "huge",
     "newinstance", "ptmxmode",     "max",      "hidepid",   "subset",    "lowerdir",   "upperdir",
     "workdir",     "redirect_dir", "metacopy", "userxattr", "volatile",  "nsdelegate", "noswap"});

// These have no device whose content read-only access must leave alone: the mount's own flag says
// it all, and saves asking the file system.
constexpr std::array without_device = std::to_array<std::string_view>(
    {"proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2", "ramfs"});

const Word* find(std::string_view name) {
  const auto* word = std::ranges::find(table, name, &Word::name);
  return word == table.end() ? nullptr : word;
}

// A later word takes back what an earlier one said.
void apply(Attributes& attributes, const Word& word) {
  attributes.set = (attributes.set & ~word.clear) | word.set;
  attributes.clear = (attributes.clear & ~(word.set & ~atime)) | word.clear;
}

void apply(Plan& plan, const Word& word) {
  switch (word.means) {
    case Means::attribute:
      return apply(plan.top, word);
    case Means::tree_attribute:
      return apply(plan.tree, word);
    case Means::propagation:
      plan.propagation = {word.set, sys::Depth::one};
      return;
    case Means::tree_propagation:
      plan.propagation = {word.set, sys::Depth::recursive};
      return;
    case Means::super_block:
      plan.data.push_back({std::string(word.name), std::nullopt});
      return;
    case Means::bind:
      plan.kind = Plan::Kind::bind;
      return;
    case Means::tree_bind:
      plan.kind = Plan::Kind::bind;
      plan.depth = sys::Depth::recursive;
      return;
    case Means::remount:
      plan.kind = Plan::Kind::remount;
      return;
    case Means::copy_up:
      plan.copy_up = true;
      return;
    case Means::id_map:
      plan.id_map = IdMap::top;
      return;
    case Means::tree_id_map:
      plan.id_map = IdMap::tree;
      return;
    case Means::nothing:
      return;
  }
}

// mount(8) takes SELinux contexts in quotes, since they hold commas; the kernel wants them without.
Datum datum(std::string_view option) {
  const std::optional<Halves> halves = cut(option, '=');
  if (!halves) return {std::string(option), std::nullopt};
  std::string_view value = halves->after;
  if (halves->before.ends_with("context") && value.size() > 1 && value.starts_with('"') &&
      value.ends_with('"'))
    value = value.substr(1, value.size() - 2);
  return {std::string(halves->before), std::string(value)};
}

Result<void> check(const Plan& plan, const Mount& mount) {
  if (plan.copy_up && mount.type != "tmpfs")
    return fail("the option tmpcopyup is for tmpfs, not " + mount.type);
  const bool file_system = plan.kind == Plan::Kind::file_system || plan.kind == Plan::Kind::cgroup;
  if (file_system && mount.type.empty())
    return fail("the mount has no type", "give it a type such as tmpfs, or the option bind");
  if (mount.uid_mappings.empty() != mount.gid_mappings.empty())
    return fail("an id-mapped mount needs both uidMappings and gidMappings");
  if (plan.destination == "/")
    return fail("a mount at / would hide the container's whole root", "change the root instead");
  return {};
}

}  // namespace

std::vector<std::string_view> option_words() {
  std::vector<std::string_view> known;
  for (const Word& word : table) known.push_back(word.name);
  return known;
}

std::string suggestion(std::string_view wrong) {
  std::vector<std::string_view> known = option_words();
  known.insert(known.end(), file_system_words.begin(), file_system_words.end());
  const std::optional<std::string_view> meant = nearest(wrong, known);
  return meant && *meant != wrong ? "did you mean '" + std::string(*meant) + "'?" : std::string();
}

Result<Propagation> propagation(std::string_view word) {
  if (word.empty()) word = "rslave";
  const Word* known = find(word);
  if (known != nullptr && known->means == Means::propagation)
    return Propagation{known->set, sys::Depth::one};
  if (known != nullptr && known->means == Means::tree_propagation)
    return Propagation{known->set, sys::Depth::recursive};
  return fail("'" + std::string(word) + "' is no mount propagation",
              "use private, slave, shared or unbindable, each also with an r in front");
}

Result<Plan> plan(const Mount& mount) {
  Plan made{.destination = clean_path(mount.destination)};
  if (mount.destination.empty()) return fail("a mount has no destination");
  if (mount.type == "bind") made.kind = Plan::Kind::bind;
  if (mount.type == "cgroup" || mount.type == "cgroup2") made.kind = Plan::Kind::cgroup;
  for (const std::string& option : mount.options) {
    if (const Word* word = find(option))
      apply(made, *word);
    else if (!option.empty())
      made.data.push_back(datum(option));
  }
  if (made.kind == Plan::Kind::bind) {
    // mount(2) passes over what it would hand to a file system when it binds.
    std::erase_if(made.data, [](const Datum& d) { return find(d.key) != nullptr; });
    if (!made.data.empty())
      return fail("a bind mount knows no option '" + made.data.front().key + "'",
                  suggestion(made.data.front().key));
    if (mount.source.empty()) return fail("a bind mount needs a source");
  }
  const bool read_only = ((made.top.set | made.tree.set) & MOUNT_ATTR_RDONLY) != 0;
  if (made.kind == Plan::Kind::file_system && read_only &&
      std::ranges::find(without_device, mount.type) == without_device.end())
    made.data.push_back({"ro", std::nullopt});
  // OCI: mappings alone ask for an id-mapped mount too.
  if (!mount.uid_mappings.empty() && made.id_map == IdMap::none) made.id_map = IdMap::top;
  TRY(check(made, mount));
  return made;
}

std::string clean_path(std::string_view path) {
  std::vector<std::string_view> kept;
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..")
      kept.push_back(part);
    else if (!kept.empty())
      kept.pop_back();
  }
  std::string made;
  for (const std::string_view part : kept) made.append("/").append(part);
  return made.empty() ? "/" : made;
}

bool within(std::string_view path, std::string_view top) {
  if (top == "/") return true;
  return path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/');
}

}  // namespace umbel::rootfs
