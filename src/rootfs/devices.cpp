// Device files by mknod(2) where that is allowed; in a user namespace it never is, and the host's
// own node is bound over an empty file instead, after a look at its numbers. The same bind serves
// where something else is in the way, so that no file of the root has to be removed.
//
// The process's umask is 0 meanwhile, so modes come out as given.
#include <sys/sysmacros.h>

#include <array>

#include "rootfs/build.h"
#include "sys/file.h"
#include "sys/inode.h"
#include "sys/mount.h"

namespace umbel::rootfs {

namespace {

struct Kind {
  std::string_view type;
  mode_t mode;
};
constexpr std::array kinds =
    std::to_array<Kind>({{"c", S_IFCHR}, {"u", S_IFCHR}, {"b", S_IFBLK}, {"p", S_IFIFO}});

struct Link {
  const char *target, *name;
  const char* needs;  // inside /proc; nullptr: nothing
};
// The specification's "default devices" that are links.
constexpr std::array links = std::to_array<Link>({
    {"/proc/self/fd", "fd", nullptr},
    {"/proc/self/fd/0", "stdin", nullptr},
    {"/proc/self/fd/1", "stdout", nullptr},
    {"/proc/self/fd/2", "stderr", nullptr},
    {"pts/ptmx", "ptmx", nullptr},
    {"/proc/kcore", "core", "kcore"},
});

Result<mode_t> type_of(const Device& device) {
  for (const Kind& kind : kinds)
    if (kind.type == device.type) return kind.mode;
  return fail("a device's type is c, u, b or p, not '" + device.type + "'");
}

dev_t number_of(const Device& device) {
  if (device.type == "p") return 0;
  return makedev(static_cast<unsigned>(device.major), static_cast<unsigned>(device.minor));
}

Result<bool> is_device(const struct stat& found, const Device& device) {
  const mode_t type = TRY(type_of(device));
  return (found.st_mode & S_IFMT) == type &&
         (type == S_IFIFO || found.st_rdev == number_of(device));
}

Result<void> bind_host(const Device& device, FdRef directory, const std::string& name) {
  const Fd node = TRY(open_host_device(device));
  const Fd copy = TRY(sys::clone_tree(node, "", sys::Depth::one));
  Result<Fd> place = make_in(directory, name, Shape::file);
  // open_beneath refuses a link there.
  if (!place && place.error().code == EEXIST) place = sys::open_beneath(directory, name, O_PATH);
  return sys::attach(copy, TRY(std::move(place)));
}

Result<void> set_owner(const Device& device, FdRef directory, const std::string& name) {
  if (device.uid == 0 && device.gid == 0) return {};
  return sys::change_owner_at(directory, name, device.uid, device.gid);
}

// One that is already the right one, in the root itself, only gets its owner and mode.
Result<void> keep_or_bind(const Device& device, FdRef directory, const std::string& name) {
  const struct stat found = TRY(sys::status_at(directory, name));
  const bool same = TRY(is_device(found, device));
  if (!same) return bind_host(device, directory, name);
  TRY(sys::change_mode(directory, name, device.mode & 07777));
  return set_owner(device, directory, name);
}

Result<void> make_one(Build& build, const Device& device, FdRef directory,
                      const std::string& name) {
  const mode_t type = TRY(type_of(device));
  // A pipe is no device: anyone may make it.
  if (type != S_IFIFO && build.rights.user_new) return bind_host(device, directory, name);
  Result<void> made =
      sys::make_node(directory, name, type | (device.mode & 07777), number_of(device));
  if (made) return set_owner(device, directory, name);
  if (made.error().code == EEXIST) return keep_or_bind(device, directory, name);
  if (made.error().code == EPERM) return bind_host(device, directory, name);
  return made;
}

Result<void> make_links(const Build& build, FdRef directory) {
  for (const Link& link : links) {
    if (link.needs != nullptr && !(build.proc && sys::exists(*build.proc, link.needs))) continue;
    Result<void> made = sys::symlink(link.target, directory, link.name);
    if (made || made.error().code == EEXIST) continue;
    return made;
  }
  return {};
}

Result<void> make_device(Build& build, const Device& device, FdRef directory) {
  const std::string path = clean_path(device.path);
  const std::size_t slash = path.find_last_of('/');
  if (path.substr(0, slash) == "/dev")
    return make_one(build, device, directory, path.substr(slash + 1));
  const Slot slot = TRY(open_slot(build.root, path));
  return make_one(build, device, slot.directory, slot.name);
}

}  // namespace

Result<Fd> open_host_device(const Device& device) {
  const char* table = device.type == "b" ? "/dev/block/" : "/dev/char/";
  const std::string numbered =
      table + std::to_string(device.major) + ":" + std::to_string(device.minor);
  for (const std::string& path : {clean_path(device.path), numbered}) {
    Result<Fd> node = sys::open(cwd, path, O_PATH);
    if (!node) continue;
    const struct stat found = TRY(sys::status(*node));
    const bool same = TRY(is_device(found, device));
    if (same) return node;
  }
  return fail_with(ENOENT,
                   "the host has no device " + std::to_string(device.major) + ":" +
                       std::to_string(device.minor) + " at " + device.path,
                   "without the right to make devices only those that the host shows can be given");
}

Result<void> make_devices(Build& build) {
  // A /dev that is bound from elsewhere is complete, and not ours to change.
  for (const Plan& plan : build.prepared.plans)
    if (plan.destination == "/dev" && plan.kind == Plan::Kind::bind) return {};
  Fd opened;
  const Build::Fresh* fresh = build.fresh_at("/dev");
  if (fresh == nullptr)
    opened = TRY(open_or_make(build.root, "/dev", Shape::directory, Links::none));
  const FdRef directory = fresh != nullptr ? fresh->directory : opened;
  for (const Device& device : build.spec.devices)
    TRY(during("making the device " + device.path, make_device(build, device, directory)));
  return make_links(build, directory);
}

}  // namespace umbel::rootfs
