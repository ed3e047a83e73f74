// The overlay is compared with the host's root (rootfs/rootfs.h), by a child that goes back to the
// host's mounts; what differs is read through the container's own paths, and written there again:
// the overlay itself then makes what stands for a deletion or a replaced directory. Of a file
// system in memory everything is taken that the start of a container does not make. Sockets are
// left to the processes that have them.
#include "carry/files.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <ranges>

#include "base/text.h"
#include "ns/aside.h"
#include "proc/mountinfo.h"
#include "rootfs/rootfs.h"
#include "sys/file.h"
#include "sys/inode.h"
#include "sys/namespace.h"
#include "sys/procfs.h"
#include "sys/remote_memory.h"

namespace umbel::carry {

namespace {

constexpr std::uint64_t most_bytes = std::uint64_t{1} << 28;

class Capture {
 public:
  explicit Capture(std::vector<SavedFile>& files) : files_(files) {}

  Result<void> add(const std::string& path) {
    const struct stat status = TRY(sys::status_at(cwd, path));
    if (S_ISSOCK(status.st_mode)) return {};
    SavedFile file{.path = path,
                   .mode = status.st_mode,
                   .uid = status.st_uid,
                   .gid = status.st_gid,
                   .device = status.st_rdev,
                   .seconds = status.st_mtim.tv_sec,
                   .nanoseconds = status.st_mtim.tv_nsec};
    const sys::Identity id{status.st_dev, status.st_ino};
    if (!S_ISDIR(status.st_mode) && status.st_nlink > 1) {
      const auto [known, fresh] = names_.emplace(id, path);
      if (!fresh) file.same_as = known->second;
    }
    if (S_ISLNK(status.st_mode)) file.target = TRY(sys::readlink(cwd, path));
    if (S_ISREG(status.st_mode) && file.same_as.empty()) TRY(read(path, status, file));
    files_.push_back(std::move(file));
    return {};
  }

  // Everything of one file system.
  Result<void> add_all(const std::string& directory, dev_t device) {
    for (const std::string& name : TRY(sys::list(cwd, directory))) {
      std::string path = directory;
      path.append("/").append(name);
      const struct stat status = TRY(sys::status_at(cwd, path));
      if (status.st_dev != device) continue;  // another one lies there
      TRY(add(path));
      if (S_ISDIR(status.st_mode)) TRY(add_all(path, device));
    }
    return {};
  }

 private:
  Result<void> read(const std::string& path, const struct stat& status, SavedFile& file) {
    const auto size = static_cast<std::uint64_t>(status.st_size);
    total_ += size;
    if (total_ > most_bytes)
      return fail_with(EFBIG,
                       "the container has written more than " + size_text(most_bytes) +
                           " into its own file systems; " + path + " would be the next",
                       "keep large files in a directory of the host (-v), or remove them");
    const Fd opened = TRY(sys::open(cwd, path, O_RDONLY | O_NOFOLLOW));
    file.content.resize(size);
    TRY(sys::read_all_at(opened, 0, file.content));
    for (const std::string& name : TRY(sys::extended_attribute_names(opened))) {
      if (name.contains("overlay.")) continue;
      const auto value = TRY(sys::extended_attribute(opened, name));
      if (value) file.attributes[name] = Value::Bytes(value->begin(), value->end());
    }
    return {};
  }

  std::vector<SavedFile>& files_;
  std::map<sys::Identity, std::string> names_;
  std::uint64_t total_ = 0;
};

// As "A/path" and so on, each ended by a zero byte: they may be too many for one message.
Result<std::string> changes_of(FdRef host, FdRef own, const rootfs::Root& root) {
  const ns::Brought brought = TRY(ns::aside([&]() -> Result<ns::Brought> {
    TRY(sys::setns(host, CLONE_NEWNS));
    const Fd procfs = TRY(sys::open(cwd, "/proc", O_RDONLY | O_DIRECTORY));
    TRY(sys::keep_procfs(procfs));
    std::string text;
    for (const rootfs::Change& change : TRY(rootfs::changes(own, root)))
      text.append(1, change.kind).append(change.path).append(1, '\0');
    ns::Brought made;
    made.fds.push_back(TRY(sys::memory_file("changes")));
    TRY(sys::write_all(made.fds.front(), text));
    return made;
  }));
  std::string text(static_cast<std::size_t>(TRY(sys::status(brought.fds.front())).st_size), 0);
  TRY(sys::read_all_at(brought.fds.front(), 0,
                       {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}));
  return text;
}

Result<std::vector<proc::Mount>> mounts_in_memory() {
  const std::string text = TRY(sys::read_file(cwd, sys::proc_path("self/mountinfo")));
  const std::vector<proc::Mount> all = TRY(proc::parse_mounts(text));
  std::vector<proc::Mount> found;
  for (const proc::Mount& mount : all)
    if (mount.type == "tmpfs" && mount.root == "/" && mount.point != "/" &&
        !mount.options.starts_with("ro") && !proc::hidden(mount, all))
      found.push_back(mount);
  return found;
}

// ---- back ----

Result<void> make(const SavedFile& file) {
  const auto permissions = static_cast<mode_t>(file.mode & 07777);
  const Result<struct stat> there = sys::status_at(cwd, file.path);
  if (S_ISDIR(file.mode)) {
    if (there && S_ISDIR(there->st_mode)) return {};
    if (there) TRY(sys::remove_file(cwd, file.path));
    return sys::make_directory(cwd, file.path, permissions);
  }
  const bool is_node = S_ISCHR(file.mode) || S_ISBLK(file.mode);
  // A node that the start of the container has made.
  if (is_node && there && there->st_mode == file.mode && there->st_rdev == file.device) return {};
  if (there) TRY(sys::remove_tree(cwd, file.path));
  if (!file.same_as.empty()) {
    const Fd other = TRY(sys::open(cwd, file.same_as, O_PATH | O_NOFOLLOW));
    return sys::link_open_file(other, file.path);
  }
  if (S_ISLNK(file.mode)) return sys::symlink(file.target, cwd, file.path);
  if (!S_ISREG(file.mode)) return sys::make_node(cwd, file.path, file.mode, file.device);
  const Fd made = TRY(sys::open(cwd, file.path, O_WRONLY | O_CREAT | O_EXCL, permissions));
  return sys::write_all_at(made, 0, file.content);
}

Result<void> give_attributes(const SavedFile& file) {
  TRY(sys::change_owner_at(cwd, file.path, file.uid, file.gid));
  if (!S_ISLNK(file.mode)) TRY(sys::change_mode(cwd, file.path, file.mode & 07777));
  struct stat like = TRY(sys::status_at(cwd, file.path));
  like.st_mtim.tv_sec = file.seconds;
  like.st_mtim.tv_nsec = file.nanoseconds;
  TRY(sys::set_times_at(cwd, file.path, like));
  // Now: a change of the owner would take them away.
  if (!S_ISREG(file.mode) || !file.same_as.empty() || file.attributes.empty()) return {};
  const Fd opened = TRY(sys::open(cwd, file.path, O_RDONLY | O_NOFOLLOW));
  for (const auto& [name, value] : file.attributes)
    TRY(sys::set_extended_attribute(opened, name, std::string(value.begin(), value.end())));
  return {};
}

}  // namespace

Result<std::vector<SavedFile>> capture_files(FdRef host, FdRef own, const rootfs::Spec& spec) {
  std::vector<SavedFile> files;
  Capture capture(files);
  if (spec.root.path.empty()) {
    const std::string text = TRY(changes_of(host, own, spec.root));
    for (const std::string_view change : split(text, '\0')) {
      if (change.empty()) continue;
      const std::string path(change.substr(1));
      if (change[0] == 'D')
        files.push_back({.path = path, .deleted = true});
      else
        TRY(during("saving " + path, capture.add(path)));
    }
  }
  for (const proc::Mount& mount : TRY(mounts_in_memory()))
    TRY(during("saving the files in " + mount.point,
               capture.add_all(mount.point, makedev(mount.major, mount.minor))));
  return files;
}

Result<void> apply_files(const std::vector<SavedFile>& files) {
  for (const SavedFile& file : files) {
    const std::string step = "bringing back " + file.path;
    if (!file.deleted)
      TRY(during(step, make(file)));
    else if (sys::exists(cwd, file.path))
      TRY(during(step, sys::remove_tree(cwd, file.path)));
  }
  // What is made in a directory changes its time: the innermost first.
  for (const SavedFile& file : std::views::reverse(files))
    if (!file.deleted) TRY(during("bringing back " + file.path, give_attributes(file)));
  return {};
}

}  // namespace umbel::carry
