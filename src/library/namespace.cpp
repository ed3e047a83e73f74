#include <errno.h>

#include "container/store.h"
#include "library/apart.h"
#include "library/config.h"
#include "ns/named.h"
#include "ns/users.h"

namespace umbel {

namespace {

Result<ns::Names> names() {
  const container::Home home = TRY(container::Home::open());
  return ns::Names::open(home.path());
}

std::string full(Kind kind, const std::string& name) {
  return std::string(ns::info(library::kind_of(kind)).proc) + "/" + name;
}

Result<ns::Recipe> recipe_of(Kind kind, const Namespace::Settings& settings) {
  ns::Recipe recipe{.kind = library::kind_of(kind), .owner = settings.owner};
  recipe.settings.hostname = settings.hostname;
  recipe.settings.domainname = settings.domainname;
  recipe.settings.sysctls = settings.sysctls;
  recipe.settings.monotonic_offset = recipe.settings.boottime_offset = settings.time_offset;
  if (kind == Kind::user || kind == Kind::mnt) {
    const container::Config like = TRY(library::config_of(
        kind == Kind::user ? Namespaces{.user = fresh} : Namespaces{.mnt = fresh}, {"-"},
        {.root = settings.root}));
    recipe.settings.uid_map = like.settings.uid_map;
    recipe.settings.gid_map = like.settings.gid_map;
    recipe.settings.deny_setgroups = like.settings.deny_setgroups;
    if (kind == Kind::mnt) recipe.files = like.files;
  }
  return recipe;
}

std::vector<HostPid> others(const ns::Name& name, const ns::Users& users) {
  const auto found = users.find(name.inode);
  if (name.inode == 0 || found == users.end()) return {};
  std::vector<HostPid> pids = found->second;
  std::erase(pids, name.holder);
  return pids;
}

}  // namespace

Result<Namespace> Namespace::create(Kind kind, const std::string& name, const Settings& settings) {
  const ns::Recipe recipe = TRY(recipe_of(kind, settings));
  TRY(library::apart([&]() -> Result<ns::Brought> {
    const ns::Names all = TRY(names());
    TRY(all.create(recipe, name));
    return ns::Brought();
  }));
  return Namespace(kind, name);
}

Result<Namespace> Namespace::create(Kind kind, const std::string& name) {
  return create(kind, name, Settings());
}

Result<Namespace> Namespace::adopt(FdRef ns, const std::string& name) {
  const ns::Brought adopted = TRY(library::apart([&]() -> Result<ns::Brought> {
    const ns::Names all = TRY(names());
    const ns::Name adopted_name = TRY(all.adopt(ns, name));
    return ns::Brought{.text = ns::full_name(adopted_name)};
  }));
  return find(adopted.text);
}

Result<Namespace> Namespace::find(const std::string& name) {
  const ns::Names all = TRY(names());
  const ns::Name found = TRY(all.find(name));
  return Namespace(library::kind_of(found.kind), found.name);
}

Result<std::vector<Namespace>> Namespace::all() {
  const ns::Names known = TRY(names());
  std::vector<Namespace> found;
  for (const ns::Name& name : TRY(known.all()))
    found.push_back(Namespace(library::kind_of(name.kind), name.name));
  return found;
}

Result<Fd> Namespace::open() const {
  const ns::Names all = TRY(names());
  return all.open(library::kind_of(kind_), name_);
}

Result<std::vector<pid_t>> Namespace::users() const {
  const ns::Names all = TRY(names());
  const ns::Name name = TRY(all.find(full(kind_, name_)));
  std::vector<pid_t> pids;
  for (const HostPid pid : others(name, TRY(ns::all_users()))) pids.push_back(pid.value());
  return pids;
}

Result<void> Namespace::remove() {
  const ns::Names all = TRY(names());
  const ns::Name name = TRY(all.find(full(kind_, name_)));
  if (!others(name, TRY(ns::all_users())).empty())
    return fail_with(EBUSY, ns::full_name(name) + " is in use", "end its users first");
  const Result<ns::Brought> done = library::apart([&]() -> Result<ns::Brought> {
    TRY(all.remove(name));
    return ns::Brought();
  });
  if (!done) return Failure(done.error());
  return {};
}

}  // namespace umbel
