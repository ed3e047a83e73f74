// Making a cgroup and putting processes into it. A directory in every hierarchy, under parents that
// are shared with others who come and go at the same time: whatever step finds that another
// process has made or removed something meanwhile goes on from there. A parent that was made here
// carries an attribute, so that whoever removes the last child may remove it too.
//
// v1 cpusets start empty and take no process until they have processors and memory nodes; they
// inherit both at mkdir where the parent has cgroup.clone_children (cpuset_css_online).
#include "cgroup/cgroup.h"

#include <fcntl.h>
#include <signal.h>

#include <algorithm>

#include "base/text.h"
#include "cgroup/lifetime.h"
#include "cgroup/subtree.h"
#include "sys/file.h"
#include "sys/inode.h"

namespace umbel::cgroup {

namespace {

// How often a race with others' makes and removes may be lost before it is called a failure.
constexpr int most_tries = 100;

bool not_permitted(const Error& error) {
  return error.code == EACCES || error.code == EPERM || error.code == EROFS;
}

Result<std::string> checked_path(const std::string& path) {
  std::string normal;
  for (const std::string_view part : split(path, '/')) {
    if (part.empty()) continue;
    if (part == "." || part == ".." || part == callers || part.find('\n') != part.npos)
      return fail_with(EINVAL, "'" + path + "' can't be the path of a cgroup",
                       "give names joined by '/', such as umbel/web");
    normal.append(normal.empty() ? "" : "/").append(part);
  }
  if (normal.empty())
    return fail_with(EINVAL, "the path of a cgroup is empty", "give one such as umbel/web");
  return normal;
}

Result<void> inherit(const Directory& cpuset) {
  const std::string mems = TRY(cpuset.read("cpuset.mems"));
  if (!trimmed(mems).empty()) return {};
  const Directory parent(cpuset.hierarchy(), cpuset.parent_path());
  if (parent.has("cpuset.cpus")) TRY(inherit(parent));
  for (const char* file : {"cpuset.cpus", "cpuset.mems"}) {
    const std::string value = TRY(parent.read(file));
    TRY(cpuset.write(file, value));
  }
  return {};
}

// The parent at that path, and those above it that are missing.
Result<void> make_parent(const std::string& hierarchy, const std::string& path) {
  const Directory parent(hierarchy, path);
  for (int tries = 0;; ++tries) {
    auto made = sys::make_directory(cwd, path, 0755);
    if (made) break;
    if (made.error().code == EEXIST) return {};
    if (made.error().code != ENOENT || tries == most_tries) return made;
    TRY(make_parent(hierarchy, parent.parent_path()));
  }
  // A kernel that has no such attributes on its cgroups leaves an empty parent behind, no more.
  (void)sys::set_extended_attribute_at(path, made_here, "remove when empty");
  if (!parent.controls("cpuset")) return {};
  TRY(inherit(parent));
  return parent.write("cgroup.clone_children", "1");
}

// Of others who remove the parent while it is being set up.
bool vanished(const Error& error) { return error.code == ENOENT || error.code == ENODEV; }

Result<void> open_parent(Directory& directory) {
  const std::string path = directory.parent_path();
  for (int tries = 0;; ++tries) {
    Result<Fd> parent = sys::open(cwd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (parent) {
      directory.hold_parent(std::move(*parent));
      return {};
    }
    if (!vanished(parent.error()) || tries == most_tries) return Failure(parent.error());
    auto made = make_parent(directory.hierarchy(), path);
    if (!made && !vanished(made.error())) return made;
  }
}

// The directory at `base`, which is not made yet, its parent open and writable.
Result<Directory> place_in(const Hierarchy& hierarchy, const std::string& base,
                           const std::string& path) {
  Directory directory(hierarchy.name, base + "/" + path);
  TRY(open_parent(directory));
  const FdRef parent = TRY(directory.parent());
  const auto writable = sys::may_write(parent, ".");
  // One made and handed over by an administrator can be taken over.
  if (!writable && !sys::may_write(parent, directory.name()))
    return Failure(during(directory.parent_path(), writable).error());
  return directory;
}

Result<Directory> place(const Hierarchy& hierarchy, const std::string& path) {
  Result<Directory> at_top = place_in(hierarchy, hierarchy.top, path);
  if (at_top || !not_permitted(at_top.error())) return at_top;
  const auto own = own_directory(hierarchy);
  if (!own || *own == hierarchy.top) return at_top;
  Result<Directory> in_own = place_in(hierarchy, *own, path);
  return in_own ? std::move(in_own) : std::move(at_top);
}

Result<void> take_over(const Directory& directory) {
  const std::vector<HostPid> inside = TRY(processes_below(directory));
  if (inside.empty()) return set_frozen(directory, Frozen::no);
  return fail_with(EEXIST, "the cgroup " + directory.path() + " is in use by " + described(inside),
                   "choose another name or parent, or end what runs in it");
}

// Its parent may have been removed by others since it was opened.
Result<void> make_directory(Directory& directory) {
  for (int tries = 0;; ++tries) {
    const FdRef parent = TRY(directory.parent());
    auto made = sys::make_directory(parent, directory.name(), 0755);
    if (made) return {};
    if (made.error().code == EEXIST) return take_over(directory);
    if (!vanished(made.error()) || tries == most_tries) return made;
    TRY(open_parent(directory));
  }
}

// All that the top has; what can't be had is missed only by a limit that needs it.
Result<void> offer_all(const Directory& directory, const std::string& top) {
  const FdRef parent = TRY(directory.parent());
  std::vector<std::string> all;
  const std::string text = TRY(sys::read_file(cwd, top + "/cgroup.controllers"));
  for (const std::string_view name : words(text)) all.emplace_back(name);
  if (offer(parent, directory.parent_path(), all)) return {};
  for (const std::string& name : all) (void)offer(parent, directory.parent_path(), {name});
  return {};
}

}  // namespace

Cgroup::Cgroup(Cgroup&& other) noexcept
    : directories_(std::move(other.directories_)),
      planned_(std::move(other.planned_)),
      owned_(std::exchange(other.owned_, false)) {}

Cgroup& Cgroup::operator=(Cgroup&& other) noexcept {
  if (this == &other) return *this;
  end();
  directories_ = std::move(other.directories_);
  planned_ = std::move(other.planned_);
  owned_ = std::exchange(other.owned_, false);
  return *this;
}

Cgroup::~Cgroup() { end(); }

void Cgroup::end() noexcept {
  if (!owned_) return;
  (void)kill(SIGKILL);
  (void)remove();
}

Result<Cgroup> Cgroup::create(const std::string& path) {
  Cgroup made = TRY(prepare(path));
  TRY(made.complete());
  for (const Directory& directory : made.directories_)
    if (!directory.unified()) TRY(directory.open_door());
  return made;
}

Result<Cgroup> Cgroup::prepare(const std::string& path) {
  return prepare(TRY(hierarchies()), path);
}

Result<Cgroup> Cgroup::prepare(const std::vector<Hierarchy>& hierarchies, const std::string& path) {
  const std::string normal = TRY(checked_path(path));
  if (hierarchies.empty())
    return fail_with(EOPNOTSUPP, "no cgroup hierarchy is mounted here",
                     "mount -t cgroup2 cgroup2 /sys/fs/cgroup");
  Cgroup made;
  made.owned_ = true;
  Result<void> refused;
  for (const Hierarchy& hierarchy : hierarchies) {
    Result<Directory> directory = place(hierarchy, normal);
    if (!directory && not_permitted(directory.error()))
      refused = Failure(directory.error());
    else if (!directory)
      return during("making the cgroup " + normal, Result<Cgroup>(Failure(directory.error())));
    else
      made.planned_.push_back(std::move(*directory));
  }
  if (made.planned_.empty())
    return Failure(
        advise(cure(hierarchies), during("making the cgroup " + normal, refused)).error());
  if (!made.planned_.back().unified()) return made;
  // Needed before the child is cloned.
  TRY(made.make(made.planned_.end() - 1));
  if (hierarchies.size() == 1) TRY(offer_all(made.directories_.back(), hierarchies.front().top));
  return made;
}

Result<void> Cgroup::complete() {
  while (!planned_.empty()) TRY(make(planned_.begin()));
  return {};
}

Result<void> Cgroup::make(std::vector<Directory>::iterator planned) {
  const std::string step = "making the cgroup " + planned->path();
  TRY(during(step, make_directory(*planned)));
  // From here on it is removed with the rest.
  directories_.push_back(std::move(*planned));
  planned_.erase(planned);
  const Directory& made = directories_.back();
  TRY(during(step, made.fd()));
  if (made.controls("cpuset")) TRY(during(step, inherit(made)));
  return {};
}

Cgroup Cgroup::open(const Paths& paths) {
  Cgroup opened;
  for (const auto& [hierarchy, path] : paths) opened.directories_.emplace_back(hierarchy, path);
  return opened;
}

Paths Cgroup::paths() const {
  Paths paths;
  for (const auto* list : {&directories_, &planned_})
    for (const Directory& directory : *list) paths[directory.hierarchy()] = directory.path();
  return paths;
}

const Directory* Cgroup::unified() const {
  const auto found = std::ranges::find_if(directories_, &Directory::unified);
  return found == directories_.end() ? nullptr : &*found;
}

const Directory* Cgroup::controlled(std::string_view controller) const {
  const auto found = std::ranges::find_if(
      directories_, [&](const Directory& directory) { return directory.controls(controller); });
  return found == directories_.end() ? nullptr : &*found;
}

Result<std::optional<FdRef>> Cgroup::directory() const {
  const Directory* here = unified();
  if (here == nullptr) return std::nullopt;
  return std::optional<FdRef>(TRY(here->fd()));
}

Result<void> Cgroup::enter() const {
  for (const auto* list : {&directories_, &planned_})
    for (const Directory& directory : *list)
      if (!directory.unified())
        TRY(during("entering the cgroup " + directory.path(), directory.enter()));
  return {};
}

Result<void> Cgroup::add(HostPid pid) const {
  const std::string text = std::to_string(pid.value());
  for (const Directory& directory : directories_) {
    Result<void> added = directory.write("cgroup.procs", text);
    if (!added && added.error().code == EBUSY && directory.unified())
      added = add_below(directory, text);
    TRY(during("moving process " + text + " into its cgroup", std::move(added)));
  }
  return {};
}

}  // namespace umbel::cgroup
