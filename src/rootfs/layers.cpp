// pivot_root_above() leaves the tmpfs as the namespace's lowest mount, and the overlay on top of
// it: path lookup starts at the process's root, which is the overlay, and never gets below it. A
// private copy of the namespace without the overlay shows it; setns(2) into the namespace one is in
// looks up its root afresh.
#include "rootfs/layers.h"

#include <linux/mount.h>

#include "base/text.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/namespace.h"

#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif

namespace umbel::rootfs {

namespace {

constexpr std::string_view root_name = "%2F";

std::string directory_of(std::string_view path) {
  return path == "/" ? "layers/" : "layers/mounts/" + layer_name(path) + "/";
}

// In the uncovered root.
Result<Lowers> copies() {
  Lowers found;
  if (!sys::exists(cwd, "/stack/lower")) return found;
  const Fd stack = TRY(sys::open(cwd, "/stack", O_PATH | O_DIRECTORY));
  const std::vector<std::string> names = TRY(sys::list(stack, "lower"));
  for (const std::string& name : names) {
    std::vector<Fd>& directories = found[name];
    const std::string upper = upper_of(layer_path(name)), lowers = "lower/" + name;
    Fd changes = TRY(sys::clone_tree(stack, upper, sys::Depth::one));
    directories.push_back(std::move(changes));
    const std::vector<std::string> numbers = TRY(sys::list(stack, lowers));
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const std::string lower = lowers + "/" + std::to_string(i);
      Fd copy = TRY(sys::clone_tree(stack, lower, sys::Depth::one));
      directories.push_back(std::move(copy));
    }
  }
  return found;
}

}  // namespace

std::string layer_name(std::string_view path) {
  if (path == "/") return std::string(root_name);
  std::string name;
  for (const char c : path.substr(1)) {
    if (c == '/')
      name += root_name;
    else if (c == '%')
      name += "%25";
    else
      name += c;
  }
  return name;
}

std::string layer_path(std::string_view name) {
  if (name == root_name) return "/";
  std::string path = "/";
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool escape = name[i] == '%';
    path += !escape ? name[i] : name.substr(i, 3) == root_name ? '/' : '%';
    if (escape) i += 2;
  }
  return path;
}

std::string upper_of(std::string_view path) { return directory_of(path) + "upper"; }
std::string work_of(std::string_view path) { return directory_of(path) + "work"; }

Result<void> uncover_root(FdRef own_namespace, int mounts_on_top) {
  for (int i = 0; i < mounts_on_top; ++i) TRY(sys::unmount("/", MNT_DETACH));
  return sys::setns(own_namespace, CLONE_NEWNS);
}

Result<Lowers> lowers_of_enclosing_root() {
  const Fd home = TRY(sys::open(cwd, "/proc/self/ns/mnt", O_RDONLY));
  const Fd root = TRY(sys::open(cwd, "/", O_PATH | O_DIRECTORY));
  TRY(sys::unshare(CLONE_NEWNS));
  auto found = [&]() -> Result<Lowers> {
    const Fd copy = TRY(sys::open(cwd, "/proc/self/ns/mnt", O_RDONLY));
    // Two: the new container's own tmpfs lies on the root.
    TRY(uncover_root(copy, 2));
    return copies();
  }();
  TRY(sys::setns(home, CLONE_NEWNS));
  TRY(sys::change_root(root));  // setns has gone to the new tmpfs
  return found;
}

}  // namespace umbel::rootfs
