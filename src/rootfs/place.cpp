// openat2(2) with RESOLVE_IN_ROOT finds what exists, in one call that no renaming can lead out of
// the root. What is missing is made in its parent, by descriptor: mkdirat and O_EXCL never follow a
// link at the end. A link that leads to nothing (EEXIST although nothing was found) is read and its
// target made instead, again from the root.
#include "rootfs/place.h"

#include <cerrno>

#include "sys/file.h"

namespace umbel::rootfs {

namespace {

constexpr int most_links = 40;  // as many as the kernel follows in one path

struct Cut {
  std::string parent, name;
};
Cut cut_last(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return {"/", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

Result<Fd> find(FdRef root, const std::string& path, Shape shape, Links links) {
  const int flags = O_PATH | (shape == Shape::directory ? O_DIRECTORY : 0);
  if (links == Links::inside) return sys::open_in_root(root, path, flags);
  const std::size_t begin = path.find_first_not_of('/');
  // Without O_NOFOLLOW: with it, O_PATH would open a link at the end instead of refusing it.
  Result<Fd> found =
      sys::open_beneath(root, begin == std::string::npos ? "." : path.substr(begin), flags);
  if (!found && (found.error().code == ELOOP || found.error().code == ENOTDIR))
    return during(path + " must be no symbolic link, nor pass through one", std::move(found));
  return found;
}

Result<Fd> make(FdRef root, const std::string& path, Shape shape, Links links, int left) {
  Result<Fd> found = find(root, path, shape, links);
  if (found || found.error().code != ENOENT) return found;
  const Cut place = cut_last(path);
  const Fd parent = TRY(make(root, place.parent, Shape::directory, links, left));
  Result<Fd> made = make_in(parent, place.name, shape);
  if (made || made.error().code != EEXIST) return made;
  if (links == Links::none) return find(root, path, shape, links);
  const Result<std::string> target = sys::readlink(parent, place.name);
  if (!target && target.error().code == EINVAL) return find(root, path, shape, links);
  if (!target) return Failure(target.error());
  if (left == 0) return fail_with(ELOOP, path + " passes through too many symbolic links");
  const bool absolute = target->starts_with('/');
  return make(root, absolute ? *target : place.parent + "/" + *target, shape, links, left - 1);
}

}  // namespace

Result<Fd> make_in(FdRef directory, const std::string& name, Shape shape) {
  if (shape == Shape::file) {
    const int flags = O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    return sys::open(directory, name, flags, 0644);
  }
  TRY(sys::make_directory(directory, name, 0755));
  return sys::open(directory, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

Result<Fd> open_or_make(FdRef root, const std::string& path, Shape shape, Links links) {
  return make(root, path, shape, links, most_links);
}

Result<Slot> open_slot(FdRef root, const std::string& path) {
  Cut place = cut_last(path);
  if (place.name.empty() || place.name == "." || place.name == "..")
    return fail(path + " names no file");
  Fd directory = TRY(open_or_make(root, place.parent, Shape::directory));
  return Slot{std::move(directory), std::move(place.name)};
}

}  // namespace umbel::rootfs
