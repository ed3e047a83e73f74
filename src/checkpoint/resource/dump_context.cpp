// What is shared by the dumped resources of one tree: objects said once, files found by path.
#include <fcntl.h>

#include "checkpoint/resource/context.h"
#include "checkpoint/resource/file_kind.h"
#include "checkpoint/resource/tcp_hold.h"
#include "sys/file.h"
#include "sys/inode.h"
#include "sys/tcp.h"

namespace umbel::checkpoint {

Result<void> Dump::object(const std::string& key, const std::function<Result<Value>()>& make) {
  if (tree.objects.contains(key)) return {};
  Value made = TRY(make());
  tree.objects.emplace(key, std::move(made));
  return {};
}

Result<std::uint32_t> Dump::file_at(const std::string& path, FdRef file, int flags) {
  inspect::Descriptor described{.target = path};
  described.status = TRY(sys::status(file));
  // Opening it with O_PATH at restore is umbel's own choice and makes it no other kind.
  described.flags = flags & ~O_PATH;
  described.kind = inspect::kind_of(described);
  const std::string key = std::to_string(flags) + ":" + std::to_string(described.status.st_dev) +
                          ":" + std::to_string(described.status.st_ino) + ":" + path;
  if (const auto found = paths_.find(key); found != paths_.end()) return found->second;
  const FileKind* kind = find_kind(described.kind);
  if (kind == nullptr)
    return fail_with(EOPNOTSUPP, path + " is of a kind that a checkpoint can't carry");
  image::File record{.kind = std::string(inspect::info(described.kind).name), .flags = flags};
  record.state = TRY(
      kind->dump({.dump = *this, .process = frozen.root(), .descriptor = described, .file = file}));
  tree.files.push_back(std::move(record));
  const auto index = static_cast<std::uint32_t>(tree.files.size() - 1);
  paths_.emplace(key, index);
  return index;
}

Result<std::string> Dump::link_beside(const std::string& path, FdRef file) {
  const std::string dir = path.substr(0, path.rfind('/') + 1);
  const struct stat status = TRY(sys::status(file));
  std::string name = dir + ".umbel-link-" + std::to_string(status.st_ino);
  const Result<void> made = sys::link_open_file(file, name);
  if (made) {
    links_.push_back(name);
    return name;
  }
  // There may be several open files of it, or an earlier image that tells of it.
  const Result<struct stat> there = sys::status_at(cwd, name);
  if (!there || there->st_ino != status.st_ino || there->st_dev != status.st_dev)
    return Failure(made.error());
  return name;
}

Dump::~Dump() {
  for (const std::string& link : links_) (void)sys::remove_file(cwd, link);
  if (ended_) return;
  for (const Fd& socket : in_repair) (void)sys::end_repair(socket);
  if (!held.empty()) (void)let_flow(held);
}

bool Dump::has(HostPid pid) const { return inner(pid).has_value(); }

std::optional<InnerPid> Dump::inner(HostPid pid) const {
  for (const auto& process : processes)
    if (process->process->pid() == pid) return process->process->inner;
  return std::nullopt;
}

}  // namespace umbel::checkpoint
