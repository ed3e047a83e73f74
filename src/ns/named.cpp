// Facts relied on: a namespace lives as long as a process, a descriptor or a bind mount of its file
// (namespaces(7)). Every mount namespace that is made copies these binds with all other mounts, and
// so would keep a namespace whose name is taken away; the directories are therefore shared, as
// `ip netns` does it, so that unmounting reaches the copies that follow (systemd's services); what
// was made private there, as unshare(1) does it, holds on. The file of a mount namespace is never
// copied, and must not be: it can be bound where nothing is shared, and by older ones only.
//
// Order: lock; placeholder file; bind. What a killed umbel leaves is a file without a namespace,
// which the next one with its name replaces.
#include "ns/named.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <sys/mount.h>

#include <algorithm>

#include "base/text.h"
#include "ns/aside.h"
#include "ns/users.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/mount.h"
#include "sys/process.h"
#include "sys/scheduling.h"

namespace umbel::ns {

namespace {

constexpr const char* shared_with_ip = "/run/netns";
constexpr std::size_t most_letters = 100;

Result<void> make_if_missing(FdRef dir, const std::string& path, mode_t mode) {
  Result<void> made = sys::make_directory(dir, path, mode);
  if (!made && made.error().code == EEXIST) return {};
  return made;
}

Result<bool> is_mount(const std::string& path) {
  const struct stat here = TRY(sys::status_at(cwd, path));
  const struct stat above = TRY(sys::status_at(cwd, path + "/.."));
  return here.st_dev != above.st_dev;
}

Result<void> mount_memory(const std::string& path, std::uint64_t propagation) {
  sys::FileSystem memory = TRY(sys::FileSystem::open("tmpfs"));
  TRY(memory.set("source", "umbel-ns"));
  TRY(memory.set("mode", "0700"));
  TRY(memory.set("size", "1m"));
  const Fd mount = TRY(memory.mount(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
  TRY(sys::attach_at(mount, cwd, path));
  return sys::set_attributes_at(cwd, path, sys::Depth::one, {.propagation = propagation});
}

// A mount of its own inside a shared one, since mount namespaces can be bound in private ones only.
Result<void> set_up(const std::string& names) {
  TRY(make_if_missing(cwd, names, 0700));
  if (!TRY(is_mount(names))) TRY(mount_memory(names, MS_SHARED));
  for (const KindInfo& kind : kinds)
    TRY(make_if_missing(cwd, names + "/" + std::string(kind.proc), 0700));
  if (!TRY(is_mount(names + "/mnt"))) TRY(mount_memory(names + "/mnt", MS_PRIVATE));
  return {};
}

// As `ip netns add` does it, so that either finds the other's names.
Result<void> set_up_net() {
  TRY(sys::make_directories(shared_with_ip, 0755));
  const sys::MountAttributes shared{.propagation = MS_SHARED};
  if (sys::set_attributes_at(cwd, shared_with_ip, sys::Depth::one, shared)) return {};
  const Fd self = TRY(sys::clone_tree(cwd, shared_with_ip, sys::Depth::recursive));
  TRY(sys::attach_at(self, cwd, shared_with_ip));
  return sys::set_attributes_at(cwd, shared_with_ip, sys::Depth::one, shared);
}

Result<bool> is_namespace(FdRef file) { return TRY(sys::file_system(file)).f_type == NSFS_MAGIC; }

std::string note_of(const std::string& name) { return "." + name; }

Result<void> unbind(const std::string& directory, const std::string& name) {
  const std::string file = directory + "/" + name;
  Result<void> unmounted = sys::unmount(file, MNT_DETACH | UMOUNT_NOFOLLOW);
  if (!unmounted && unmounted.error().code != EINVAL && unmounted.error().code != ENOENT)
    return unmounted;  // EINVAL: it is no mount
  const Fd dir = TRY(sys::open(cwd, directory, O_RDONLY | O_DIRECTORY));
  if (sys::exists(dir, note_of(name))) TRY(sys::remove_file(dir, note_of(name)));
  return sys::remove_file(dir, name);
}

// `holder` is recorded beside the file, before it is needed.
Result<void> bind_at(const std::string& directory, const std::string& name, FdRef ns,
                     const std::string& holder) {
  const Fd dir = TRY(sys::open(cwd, directory, O_RDONLY | O_DIRECTORY));
  if (!holder.empty()) TRY(sys::replace_file(dir, note_of(name), holder, 0600));
  const Fd file = TRY(sys::open(dir, name, O_RDONLY | O_CREAT | O_EXCL, 0));
  const auto bound = [&]() -> Result<void> {
    const Fd mount = TRY(sys::clone_tree(ns, "", sys::Depth::one));
    return sys::attach(mount, file);
  }();
  if (!bound) (void)unbind(directory, name);
  return bound;
}

// The kernel's order of mount namespaces, by which it keeps them from holding each other in a
// circle, is that of numbers which each processor takes from a supply of its own (Linux 6.18): one
// that was made later on another processor may count as older.
bool is_order(const Error& error) { return error.code == ELOOP || error.code == EINVAL; }

// Not to know would be to leave it behind when its name is removed.
Result<HostPid> recorded_holder(FdRef dir, const std::string& name) {
  Result<std::string> note = sys::read_file(dir, note_of(name));
  if (!note && note.error().code == ENOENT) return HostPid();
  const std::string text = TRY(std::move(note));
  return HostPid(static_cast<std::int32_t>(number(trimmed(text)).value_or(0)));
}

class Lock {
 public:
  static Result<Lock> take(const std::string& home) {
    Lock lock;
    lock.file_ = TRY(sys::open(cwd, home + "/ns.lock", O_RDWR | O_CREAT, 0600));
    TRY(sys::lock(lock.file_, sys::Lock::exclusive));
    return lock;
  }

 private:
  Fd file_;
};

Result<std::vector<std::string>> names_in(const std::string& directory) {
  Result<std::vector<std::string>> found = sys::list(cwd, directory);
  if (!found && (found.error().code == ENOENT || found.error().code == ENOTDIR))
    return std::vector<std::string>();
  std::vector<std::string> names = TRY(std::move(found));
  std::erase_if(names, [](const std::string& name) { return name.starts_with('.'); });
  std::ranges::sort(names);
  return names;
}

}  // namespace

std::string full_name(const Name& name) {
  return std::string(info(name.kind).proc) + "/" + name.name;
}

Result<void> check_name(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  const bool good = !name.empty() && name.size() <= most_letters && plain(name[0]) &&
                    std::ranges::all_of(name, [&](char c) {
                      return plain(c) || std::string_view(".+-").contains(c);
                    });
  if (good) return {};
  return fail("'" + std::string(name) + "' cannot be a namespace's name",
              "use up to 100 letters, digits, and _ . + - after the first");
}

Result<Names> Names::open(const std::string& home) {
  Names names;
  const Fd dir = TRY(sys::open(cwd, home, O_RDONLY | O_DIRECTORY));
  // Through /proc/PID/root an absolute symbolic link on the way would lead elsewhere.
  names.home_ = TRY(sys::path_of(dir));
  names.direct_ = may_mount();
  if (!names.direct_) names.keeper_ = TRY(find_keeper(dir));
  return names;
}

std::string Names::directory(Kind kind) const {
  if (direct_ && kind == Kind::net) return shared_with_ip;
  return home_ + "/ns/" + std::string(info(kind).proc);
}

std::string Names::visible(Kind kind) const {
  const std::string root =
      keeper_ ? "/proc/" + std::to_string(keeper_->pid.value()) + "/root" : std::string();
  return root + directory(kind);
}

Result<Name> Names::read(const KindInfo& kind, const std::string& name) const {
  const std::string directory = visible(kind.kind);
  Name found{.kind = kind.kind, .name = name, .file = directory + "/" + name, .life = Life::lost};
  const Fd file = TRY(sys::open(cwd, found.file, O_PATH | O_NOFOLLOW));
  if (!TRY(is_namespace(file))) return found;
  const Fd ns = TRY(sys::open(cwd, found.file, O_RDONLY | O_NOFOLLOW));
  found.life = Life::alive;
  found.inode = TRY(sys::identity(ns)).inode;
  if (const Result<Fd> owner = sys::namespace_owner(ns))
    found.owner = TRY(sys::identity(*owner)).inode;
  if (kind.kind != Kind::pid) {
    if (keeper_) found.holder = keeper_->pid;
    return found;
  }
  const std::optional<HostPid> first = TRY(first_process(ns));
  if (!first) {
    found.life = Life::ended;
    return found;
  }
  found.first = *first;
  const Fd dir = TRY(sys::open(cwd, directory, O_RDONLY | O_DIRECTORY));
  if (TRY(recorded_holder(dir, name)) == found.first) found.holder = found.first;
  return found;
}

Result<std::vector<Name>> Names::all() const {
  std::vector<Name> found;
  if (!direct_ && !keeper_) return found;
  for (const KindInfo& kind : kinds)
    for (const std::string& name : TRY(names_in(visible(kind.kind))))
      if (Result<Name> one = read(kind, name)) found.push_back(std::move(*one));
  return found;
}

Result<Name> Names::find(std::string_view text) const {
  const auto halves = cut(text, '/');
  if (const auto kind = halves ? kind_named(halves->before) : std::nullopt)
    return find(*kind, halves->after);
  const std::vector<Name> known = TRY(all());
  std::vector<std::string> full;
  const Name* match = nullptr;
  for (const Name& one : known) {
    if (one.name != text) continue;
    match = &one;
    full.push_back(full_name(one));
  }
  if (full.size() == 1) return *match;
  if (full.size() > 1)
    return fail("'" + std::string(text) + "' is the name of " + join(full, " and "),
                "write KIND/NAME");
  std::vector<std::string_view> candidates;
  for (const Name& one : known) candidates.push_back(one.name);
  const auto meant = nearest(text, candidates);
  return fail_with(
      ENOENT, "there is no namespace named " + std::string(text),
      meant ? "did you mean " + std::string(*meant) + "?" : "umbel ns list lists what there is");
}

Result<Name> Names::find(Kind kind, std::string_view text) const {
  const auto halves = cut(text, '/');
  const std::optional<Kind> other = halves ? kind_named(halves->before) : std::nullopt;
  if (other && *other == kind) return find(kind, halves->after);
  if (other && kind == Kind::user) {
    Name owned = TRY(find(*other, halves->after));
    return Name{.kind = Kind::user, .file = std::move(owned.file), .inode = owned.owner};
  }
  const std::string wanted = std::string(info(kind).proc) + "/" + std::string(text);
  const bool possible = check_name(text).has_value() && (direct_ || keeper_);
  Result<Name> found =
      possible ? read(info(kind), std::string(text)) : Result<Name>(fail_with(ENOENT, ""));
  if (found || found.error().code != ENOENT) return found;
  std::vector<Name> known = TRY(all());
  std::erase_if(known, [&](const Name& one) { return one.kind != kind; });
  std::vector<std::string_view> candidates;
  for (const Name& one : known) candidates.push_back(one.name);
  const auto meant = nearest(text, candidates);
  return fail_with(ENOENT, "there is no namespace " + wanted,
                   meant ? "did you mean " + std::string(*meant) + "?"
                         : "make it (umbel ns create " + std::string(info(kind).proc) + " " +
                               std::string(text) + "); umbel ns list lists what there is");
}

Result<Fd> Names::open(const Name& name) const {
  if (name.life == Life::lost)
    return fail(full_name(name) + " has lost its namespace: nothing is bound to " + name.file,
                "remove the name (umbel ns rm " + full_name(name) + ") and make it again");
  if (name.life == Life::ended)
    return fail(full_name(name) +
                    " has ended: its first process is gone, and the kernel lets no process be born "
                    "in a pid namespace after that",
                "remove the name (umbel ns rm " + full_name(name) + ") and make it again");
  Fd ns = TRY(during(full_name(name), sys::open(cwd, name.file, O_RDONLY | O_NOFOLLOW)));
  if (!name.name.empty()) return ns;
  return during("the user namespace that owns " + name.file, sys::namespace_owner(ns));
}

Result<Fd> Names::open(Kind kind, std::string_view text) const {
  return open(TRY(find(kind, text)));
}

// Runs `act` where the names are bound; the lock is held.
Result<void> Names::at_names(const std::function<Result<void>()>& act) const {
  if (direct_) return act();
  const Result<Brought> done = beside_keeper(*keeper_, [&]() -> Result<Brought> {
    TRY(act());
    return Brought();
  });
  if (!done) return Failure(done.error());
  return {};
}

// With the directories there, and the keeper where one is needed.
Result<Names> Names::prepared(Kind kind) const {
  Names ready = *this;
  const std::string names = home_ + "/ns";
  if (direct_) {
    TRY(during("making the directory of names", kind == Kind::net ? set_up_net() : set_up(names)));
    return ready;
  }
  const Fd home = TRY(sys::open(cwd, home_, O_RDONLY | O_DIRECTORY));
  ready.keeper_ = TRY(find_keeper(home));
  if (!ready.keeper_) {
    TRY(make_if_missing(home, "ns", 0700));
    ready.keeper_ = TRY(start_keeper(home, [&] { return set_up(names); }));
  }
  return ready;
}

Result<void> Names::check_free(Kind kind, const std::string& name) const {
  TRY(check_name(name));
  const Result<Name> taken = read(info(kind), name);
  if (!taken && taken.error().code == ENOENT) return {};
  TRY(Result<Name>(taken));
  const std::string full = full_name(*taken);
  // In /run/netns it may be one that `ip netns add` is just making.
  if (taken->life == Life::lost && directory(kind) != shared_with_ip)
    return at_names([&] { return unbind(directory(kind), name); });
  return fail_with(EEXIST, "the name " + full + " is taken",
                   "choose another, or remove that one: umbel ns rm " + full);
}

Result<Name> Names::bind(Kind kind, const std::string& name, FdRef ns,
                         const std::string& holder) const {
  Result<void> bound = at_names([&] { return bind_at(directory(kind), name, ns, holder); });
  if (!bound && kind == Kind::mnt && is_order(bound.error()))
    bound = advise(
        "the kernel lets a mount namespace be kept only by one that is older than it, and not by "
        "itself: name it from the host",
        std::move(bound));
  TRY(during("binding it to the name " + std::string(info(kind).proc) + "/" + name,
             std::move(bound)));
  return read(info(kind), name);
}

Result<Name> Names::make_and_bind(const Recipe& recipe, const std::string& name, FdRef owner,
                                  std::optional<unsigned> processor) const {
  Made made = TRY(make(recipe, owner, processor));
  const std::string holder =
      made.holder ? std::to_string(made.holder.pid().value()) + "\n" : std::string();
  Name bound = TRY(bind(recipe.kind, name, made.ns, holder));
  TRY(keep(made));
  return bound;
}

Result<Name> Names::create(const Recipe& recipe, const std::string& name) const {
  const Lock lock = TRY(Lock::take(home_));
  const Names ready = TRY(prepared(recipe.kind));
  const auto created = [&]() -> Result<Name> {
    TRY(ready.check_free(recipe.kind, name));
    Fd owner;
    if (!recipe.owner.empty())
      owner = TRY(ready.open(Kind::user, recipe.owner));
    else if (!direct_ && recipe.kind != Kind::user)
      owner = TRY(sys::open(cwd, "/proc/" + std::to_string(ready.keeper_->pid.value()) + "/ns/user",
                            O_RDONLY));
    Result<Name> bound = ready.make_and_bind(recipe, name, owner, std::nullopt);
    if (bound || recipe.kind != Kind::mnt) return bound;
    for (const unsigned processor : TRY(sys::get_affinity()))
      if (!bound && is_order(bound.error()))
        bound = ready.make_and_bind(recipe, name, owner, processor);
    return bound;
  }();
  if (!created) (void)ready.tidy();
  return created;
}

Result<Name> Names::adopt(FdRef ns, const std::string& name) const {
  const std::uint64_t flag = TRY(sys::namespace_kind(ns));
  const auto kind = std::ranges::find_if(kinds, [&](const KindInfo& k) { return k.flag == flag; });
  if (kind == kinds.end()) return fail("a namespace of a kind that umbel does not know");
  const Lock lock = TRY(Lock::take(home_));
  const Names ready = TRY(prepared(kind->kind));
  const auto adopted = [&]() -> Result<Name> {
    TRY(ready.check_free(kind->kind, name));
    return ready.bind(kind->kind, name, ns, "");
  }();
  if (!adopted) (void)ready.tidy();
  return adopted;
}

Result<void> Names::remove(const Name& name) const {
  const Lock lock = TRY(Lock::take(home_));
  if (name.kind == Kind::pid && name.holder) {
    const Fd holder = TRY(sys::pidfd_open(name.holder));
    // The pid may be another's by now.
    const Name again = TRY(read(info(name.kind), name.name));
    if (again.holder == name.holder) TRY(sys::pidfd_signal(holder, SIGKILL));
  }
  TRY(during("removing the name " + full_name(name),
             at_names([&] { return unbind(directory(name.kind), name.name); })));
  return tidy();
}

// The last name takes the directories with it; what cannot go yet, is in use by somebody, stays.
Result<void> Names::tidy() const {
  for (const Name& left : TRY(all()))
    if (!direct_ || left.kind != Kind::net) return {};
  const Fd home = TRY(sys::open(cwd, home_, O_RDONLY | O_DIRECTORY));
  if (keeper_) return end_keeper(home, *keeper_);
  const std::string names = home_ + "/ns";
  if (!sys::exists(home, "ns") || !TRY(is_mount(names))) return {};
  if (TRY(is_mount(names + "/mnt"))) (void)sys::unmount(names + "/mnt", UMOUNT_NOFOLLOW);
  (void)sys::unmount(names, UMOUNT_NOFOLLOW);
  (void)sys::remove_directory(home, "ns");
  return {};
}

}  // namespace umbel::ns
