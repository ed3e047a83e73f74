#include "cli/umbel/names.h"

#include <fcntl.h>

#include <algorithm>

#include "container/store.h"
#include "sys/file.h"

namespace umbel::cli {

Result<ns::Names> open_names() {
  const container::Home home = TRY(container::Home::open());
  return ns::Names::open(home.path());
}

std::vector<HostPid> users_of(const ns::Name& name, const ns::Users& users) {
  const auto found = users.find(name.inode);
  if (name.inode == 0 || found == users.end()) return {};
  std::vector<HostPid> pids = found->second;
  std::erase(pids, name.holder);
  return pids;
}

Result<NameRecord> record_of(const ns::Name& name, const std::vector<ns::Name>& all,
                             const ns::Users& users) {
  NameRecord record{.kind = std::string(ns::info(name.kind).proc),
                    .name = name.name,
                    .life = name.life,
                    .users = users_of(name, users).size(),
                    .file = name.file};
  if (name.inode != 0) record.id = name.inode;
  if (name.holder) record.holder = name.holder.value();
  if (name.owner == 0) return record;
  record.owner = name.owner;
  const Fd own = TRY(sys::open(cwd, "/proc/self/ns/user", O_PATH));
  if (TRY(sys::identity(own)).inode == name.owner) record.owner_name = "host";
  const auto named = std::ranges::find_if(all, [&](const ns::Name& other) {
    return other.kind == ns::Kind::user && other.inode == name.owner;
  });
  if (named != all.end()) record.owner_name = ns::full_name(*named);
  return record;
}

}  // namespace umbel::cli
