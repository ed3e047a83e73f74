// What an overlay writes is its upper directory (Documentation/filesystems/overlayfs.rst): copies
// of what was touched, new files, and for what was deleted a character device 0:0; a directory that
// replaces another is marked opaque. It is reached through a copy of the container's mount
// namespace (layers.h), in a child, since a process in several threads can't change its mount
// namespace.
//
// A file that was only opened for writing is a copy too, and not a change: each is compared with
// the host's.
#include <fcntl.h>
#include <linux/mount.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "rootfs/layers.h"
#include "rootfs/rootfs.h"
#include "sys/channel.h"
#include "sys/file.h"
#include "sys/inode.h"
#include "sys/mount.h"
#include "sys/namespace.h"
#include "sys/process.h"

namespace umbel::rootfs {

namespace {

// In the child: its own copy of the container's mount namespace without the overlay.
Result<Fd> enter_and_open(FdRef mount_namespace) {
  const Fd processes = TRY(sys::open(cwd, "/proc/self/ns", O_PATH | O_DIRECTORY));
  const sys::Identity own = TRY(sys::identity(TRY(sys::open(processes, "user", O_RDONLY))));
  const Fd owner = TRY(sys::namespace_owner(mount_namespace));
  const sys::Identity its = TRY(sys::identity(owner));
  // A copy made in another user namespace would have its mounts locked together.
  if (own != its) TRY(sys::setns(owner, CLONE_NEWUSER));
  TRY(sys::setns(mount_namespace, CLONE_NEWNS));
  TRY(sys::unshare(CLONE_NEWNS));
  const Fd copy = TRY(sys::open(processes, "mnt", O_RDONLY));
  TRY(sys::set_attributes_at(cwd, "/", sys::Depth::recursive, {.propagation = MS_PRIVATE}));
  TRY(uncover_root(copy, 1));
  return sys::open(cwd, "/stack/layers", O_RDONLY | O_DIRECTORY);
}

Result<Fd> open_layers(FdRef mount_namespace) {
  sys::Channel channel = TRY(sys::channel());
  sys::Process child = TRY(sys::start({}, [&] {
    const Result<Fd> layers = enter_and_open(mount_namespace);
    const std::string text = layers ? std::string("ok") : layers.error().message();
    const FdRef fd = layers ? FdRef(*layers) : FdRef(-1);
    const std::span<const FdRef> fds(&fd, layers ? 1 : 0);
    return sys::send(channel.theirs, text, fds) ? 0 : 1;
  }));
  channel.theirs.close();
  sys::Message answer = TRY(sys::receive(channel.ours));
  TRY(child.wait());
  if (answer.fds.size() == 1) return std::move(answer.fds.front());
  return fail(answer.closed ? "the process that looks at it ended" : answer.data,
              "only containers without a root file system of their own keep their changes apart");
}

struct Original {
  Fd root;
  // Who owns what a container in a user namespace has made in place of the host's (piecewise.cpp):
  // its own root, since it can give nothing to others.
  struct stat stand_in;
};

std::string joined(const std::string& path, const std::string& name) {
  std::string made = path;
  return made.append("/").append(name);
}

bool is_whiteout(const struct stat& s) { return S_ISCHR(s.st_mode) && s.st_rdev == 0; }

Result<bool> is_opaque(FdRef directory) {
  for (const char* name : {"trusted.overlay.opaque", "user.overlay.opaque"}) {
    const std::optional<std::string> value = TRY(sys::extended_attribute(directory, name));
    if (value == "y") return true;
  }
  return false;
}

bool same_content(FdRef upper, FdRef lower, const std::string& name, const std::string& path) {
  const Result<Fd> ours = sys::open(upper, name, O_RDONLY | O_NOFOLLOW);
  const Result<Fd> theirs = sys::open(lower, path, O_RDONLY | O_NOFOLLOW);
  if (!ours || !theirs) return false;
  std::array<char, 65536> a{}, b{};
  for (;;) {
    const Result<std::size_t> count = sys::read(*ours, a);
    if (!count) return false;
    std::size_t have = 0;
    while (have < *count) {
      const Result<std::size_t> more =
          sys::read(*theirs, std::span(b).subspan(have, *count - have));
      if (!more || *more == 0) return false;
      have += *more;
    }
    if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(have), b.begin()))
      return false;
    if (*count == 0) return true;
  }
}

bool unchanged(const Original& host, FdRef upper, const std::string& name, const std::string& path,
               const struct stat& ours, const struct stat& theirs) {
  const FdRef lower = host.root;
  const bool same_user = ours.st_uid == theirs.st_uid || ours.st_uid == host.stand_in.st_uid;
  const bool same_group = ours.st_gid == theirs.st_gid || ours.st_gid == host.stand_in.st_gid;
  if (ours.st_mode != theirs.st_mode || !same_user || !same_group) return false;
  if (S_ISDIR(ours.st_mode)) return true;
  if (S_ISREG(ours.st_mode))
    return ours.st_size == theirs.st_size && ours.st_mtim.tv_sec == theirs.st_mtim.tv_sec &&
           ours.st_mtim.tv_nsec == theirs.st_mtim.tv_nsec && same_content(upper, lower, name, path);
  if (!S_ISLNK(ours.st_mode)) return ours.st_rdev == theirs.st_rdev;
  const Result<std::string> a = sys::readlink(upper, name), b = sys::readlink(lower, path);
  return a && b && *a == *b;
}

Result<void> walk(const Original& host, FdRef upper, const std::string& path,
                  std::vector<Change>& found);

// What an opaque directory no longer shows.
Result<void> add_hidden(const Original& host, FdRef upper, const std::string& path,
                        std::vector<Change>& found) {
  const Result<std::vector<std::string>> before = sys::list(host.root, "." + path);
  if (!before) return {};
  for (const std::string& name : *before)
    if (!sys::exists(upper, name)) found.push_back({'D', joined(path, name)});
  return {};
}

Result<void> look_at(const Original& host, FdRef upper, const std::string& name,
                     const std::string& path, std::vector<Change>& found) {
  const struct stat ours = TRY(sys::status_at(upper, name));
  const Result<struct stat> theirs = sys::status_at(host.root, "." + path);
  if (is_whiteout(ours)) {
    if (theirs) found.push_back({'D', path});
    return {};
  }
  const std::size_t before = found.size();
  if (S_ISDIR(ours.st_mode)) {
    const Fd directory = TRY(sys::open_beneath(upper, name, O_RDONLY | O_DIRECTORY));
    TRY(walk(host, directory, path, found));
    const bool opaque = TRY(is_opaque(directory));
    if (opaque && theirs) TRY(add_hidden(host, directory, path, found));
  }
  if (!theirs)
    found.push_back({'A', path});
  else if (found.size() != before || !unchanged(host, upper, name, "." + path, ours, *theirs))
    found.push_back({'C', path});
  return {};
}

Result<void> walk(const Original& host, FdRef upper, const std::string& path,
                  std::vector<Change>& found) {
  const Result<std::vector<std::string>> names = sys::list(upper, ".");
  // What stands for a directory that an ordinary user can't enter: nothing was written there.
  if (!names && names.error().code == EACCES) return {};
  for (const std::string& name : TRY(Result<std::vector<std::string>>(names)))
    TRY(look_at(host, upper, name, joined(path, name), found));
  return {};
}

// A file system of its own is in a directory of another.
void add_parents(std::string path, std::vector<Change>& found) {
  while (!path.empty()) {
    found.push_back({'C', path});
    path.resize(path.find_last_of('/'));
  }
}

// One line a path: a new directory is not also a changed one.
void sort_and_unite(std::vector<Change>& found) {
  std::ranges::sort(found, [](const Change& a, const Change& b) {
    return std::tie(a.path, a.kind) < std::tie(b.path, b.kind);
  });
  const auto rest = std::ranges::unique(found, {}, &Change::path);
  found.erase(rest.begin(), rest.end());
}

}  // namespace

Result<std::vector<Change>> changes(FdRef mount_namespace, const Root& root) {
  if (!root.path.empty())
    return fail("this container has a root file system of its own, " + root.path +
                    ": its changes are in there, with everything else",
                "compare that directory with a copy, or start without --rootfs");
  const Fd layers =
      TRY(during("looking at what the container has written", open_layers(mount_namespace)));
  Fd lower = TRY(sys::open(cwd, "/", O_PATH | O_DIRECTORY));
  const struct stat own = TRY(sys::status(layers));
  const Original host{.root = std::move(lower), .stand_in = own};
  std::vector<Change> found;
  const Fd upper = TRY(sys::open_beneath(layers, "upper", O_RDONLY | O_DIRECTORY));
  TRY(walk(host, upper, "", found));
  if (sys::exists(layers, "mounts")) {
    for (const std::string& name : TRY(sys::list(layers, "mounts"))) {
      const Fd part =
          TRY(sys::open_beneath(layers, "mounts/" + name + "/upper", O_RDONLY | O_DIRECTORY));
      const std::size_t before = found.size();
      TRY(walk(host, part, layer_path(name), found));
      if (found.size() != before) add_parents(layer_path(name), found);
    }
  }
  sort_and_unite(found);
  return found;
}

}  // namespace umbel::rootfs
