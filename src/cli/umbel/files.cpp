// Starts from the default mounts; what a person puts at one of their places replaces it. Deeper
// places are mounted later, so that none hides another.
#include "cli/umbel/files.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "base/text.h"
#include "cgroup/devices.h"
#include "sys/file.h"

namespace umbel::cli {

namespace {

std::vector<std::string> option_words(std::string_view text) {
  std::vector<std::string> list;
  for (const std::string_view word : split(text, ',')) list.emplace_back(word);
  return list;
}

Result<void> check_inside(std::string_view option, std::string_view path) {
  if (path.starts_with('/') && path != "/") return {};
  return fail(
      std::string(option) + ": '" + std::string(path) + "' is no place inside the container",
      "give an absolute path below /");
}

// SOURCE:PATH[:OPTIONS]
Result<rootfs::Mount> volume(const std::string& text, std::string_view directory) {
  const auto halves = cut(text, ':');
  if (!halves || halves->before.empty())
    return fail("--volume: '" + text + "' does not say what to show where",
                "write it like ./data:/srv/data, or use --tmpfs for an empty directory");
  if (!halves->before.contains('/') && halves->before != "." && halves->before != "..")
    return fail("--volume: '" + std::string(halves->before) +
                    "' is a name, and umbel keeps no named volumes",
                "give the path of a directory: ./" + std::string(halves->before));
  const auto rest = cut(halves->after, ':');
  const std::string_view inside = rest ? rest->before : halves->after;
  TRY(check_inside("--volume", inside));
  rootfs::Mount mount{.destination = normal(inside),
                      .type = "bind",
                      .source = absolute(halves->before, directory),
                      .options = {"rbind", "rprivate"}};
  for (std::string& word : option_words(rest ? rest->after : std::string_view()))
    // Read-only with everything below it, as a person means it; Docker's labels for SELinux (z, Z)
    // have no meaning here.
    if (word != "z" && word != "Z") mount.options.push_back(word == "ro" ? "rro" : word);
  return mount;
}

// PATH[:OPTIONS]
Result<rootfs::Mount> memory(const std::string& text) {
  const auto halves = cut(text, ':');
  const std::string_view inside = halves ? halves->before : std::string_view(text);
  TRY(check_inside("--tmpfs", inside));
  rootfs::Mount mount{.destination = normal(inside),
                      .type = "tmpfs",
                      .source = "tmpfs",
                      .options = {"nosuid", "nodev", "noexec", "mode=1777"}};
  for (std::string& word : option_words(halves ? halves->after : std::string_view()))
    mount.options.push_back(std::move(word));
  return mount;
}

struct GivenDevice {
  rootfs::Device device;
  std::string access = "rwm";
};

Result<GivenDevice> device_at(const std::string& host, std::string_view inside) {
  const Fd file = TRY(sys::open(cwd, host, O_PATH));
  const struct stat found = TRY(sys::status(file));
  if (!S_ISCHR(found.st_mode) && !S_ISBLK(found.st_mode)) return fail(host + " is no device");
  return GivenDevice{.device = {.path = std::string(inside),
                                .type = S_ISCHR(found.st_mode) ? "c" : "b",
                                .major = major(found.st_rdev),
                                .minor = minor(found.st_rdev),
                                .mode = found.st_mode & 0777U,
                                .uid = found.st_uid,
                                .gid = found.st_gid}};
}

// DEVICE[:PATH[:rwm]]; Docker also takes DEVICE:rwm.
Result<GivenDevice> device(const std::string& text) {
  const auto parts = split(text, ':');
  const auto is_access = [](std::string_view part) {
    return !part.empty() && part.find_first_not_of("rwm") == std::string_view::npos;
  };
  std::string_view inside = parts.empty() ? std::string_view() : parts[0];
  std::string_view access = "rwm";
  bool good = !parts.empty() && parts.size() <= 3 && parts[0].starts_with('/');
  if (good && parts.size() == 2) (is_access(parts[1]) ? access : inside) = parts[1];
  if (good && parts.size() == 3) {
    inside = parts[1];
    access = parts[2];
    good = is_access(access);
  }
  if (!good)
    return fail("'" + text + "' is no device", "write it like /dev/fuse or /dev/sda:/dev/disk:r");
  TRY(check_inside("its place", inside));
  GivenDevice given = TRY(device_at(std::string(parts[0]), normal(inside)));
  given.access = access;
  return given;
}

// Everything below the host's /dev but what a container has of its own.
void add_all_devices(const std::string& directory, std::vector<rootfs::Device>& devices) {
  const Result<std::vector<std::string>> names = sys::list(cwd, directory);
  if (!names) return;
  for (const std::string& name : *names) {
    const std::string path = directory + "/" + name;
    const Result<struct stat> found = sys::status_at(cwd, path);
    if (!found) continue;
    if (S_ISDIR(found->st_mode) && path != "/dev/pts" && path != "/dev/shm" &&
        path != "/dev/mqueue")
      add_all_devices(path, devices);
    const bool own = path == "/dev/ptmx" || path == "/dev/console" ||
                     std::ranges::find(devices, path, &rootfs::Device::path) != devices.end();
    if (own || (!S_ISCHR(found->st_mode) && !S_ISBLK(found->st_mode))) continue;
    if (Result<GivenDevice> given = device_at(path, path)) devices.push_back(given->device);
  }
}

void place(std::vector<rootfs::Mount>& mounts, rootfs::Mount mount) {
  std::erase_if(mounts,
                [&](const rootfs::Mount& other) { return other.destination == mount.destination; });
  mounts.push_back(std::move(mount));
}

void make_writable(std::vector<rootfs::Mount>& mounts, std::string_view type) {
  for (rootfs::Mount& mount : mounts)
    if (mount.type == type) std::erase(mount.options, "ro");
}

Result<void> set_root(const FileOptions& o, rootfs::Root& root) {
  if (o.rootfs) root.path = absolute(*o.rootfs, o.directory);
  if (o.overlay) root.overlay_dir = absolute(*o.overlay, o.directory);
  if (o.overlay_size)
    root.overlay_size = TRY(during("--overlay-size", parse_size(*o.overlay_size)));
  root.read_only = o.read_only;
  root.nest = o.nest;
  return {};
}

Result<void> set_mounts(const FileOptions& o, std::vector<rootfs::Mount>& mounts) {
  const std::uint64_t shm = TRY(during("--shm-size", parse_size(o.shm_size.value_or("64m"))));
  mounts = rootfs::default_mounts(shm);
  if (o.host_ipc && !o.shm_size)
    place(mounts, {.destination = "/dev/shm",
                   .type = "bind",
                   .source = "/dev/shm",
                   .options = {"rbind", "rprivate", "nosuid", "nodev", "noexec"}});
  if (o.privileged) make_writable(mounts, "sysfs");
  if (o.privileged || o.nest) make_writable(mounts, "cgroup");
  // The inner umbel's records: the host's own would show containers that are not there.
  if (o.nest)
    place(mounts, {.destination = "/run/umbel",
                   .type = "tmpfs",
                   .source = "tmpfs",
                   .options = {"nosuid", "nodev", "noexec", "mode=700"}});
  std::vector<rootfs::Mount> own;
  for (const std::string& text : o.tmpfs) own.push_back(TRY(memory(text)));
  for (const std::string& text : o.volumes) own.push_back(TRY(volume(text, o.directory)));
  std::ranges::stable_sort(own, {}, [](const rootfs::Mount& mount) {
    return std::ranges::count(mount.destination, '/');
  });
  for (rootfs::Mount& mount : own) place(mounts, std::move(mount));
  return {};
}

Result<void> set_devices(const FileOptions& o, Files& files) {
  files.spec.devices = rootfs::default_devices();
  if (o.privileged) {
    add_all_devices("/dev", files.spec.devices);
    files.device_rules = {{.allow = true}};
    return {};
  }
  files.device_rules = cgroup::default_device_rules();
  for (const std::string& text : o.devices) {
    const GivenDevice given = TRY(during("--device", device(text)));
    std::erase_if(files.spec.devices,
                  [&](const rootfs::Device& other) { return other.path == given.device.path; });
    files.spec.devices.push_back(given.device);
    files.device_rules.push_back({.allow = true,
                                  .type = given.device.type,
                                  .major = given.device.major,
                                  .minor = given.device.minor,
                                  .access = given.access});
  }
  return {};
}

}  // namespace

std::string absolute(std::string_view path, std::string_view directory) {
  if (path.starts_with('/')) return std::string(path);
  return std::string(directory) + (directory.ends_with('/') ? "" : "/") + std::string(path);
}

std::string normal(std::string_view path) {
  std::vector<std::string> kept;
  const std::string whole = absolute(path, "/");
  for (const std::string_view part : split(whole, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..")
      kept.emplace_back(part);
    else if (!kept.empty())
      kept.pop_back();
  }
  return "/" + join(kept, "/");
}

Result<Files> make_files(const FileOptions& o) {
  Files files;
  TRY(set_root(o, files.spec.root));
  TRY(set_mounts(o, files.spec.mounts));
  TRY(set_devices(o, files));
  if (o.privileged || o.nest) return files;
  files.spec.masked = rootfs::default_masked();
  files.spec.read_only = rootfs::default_read_only();
  return files;
}

}  // namespace umbel::cli
