// The container's side is reached through the root directory of its first process, held by a
// descriptor; its own symbolic links are followed within that root only (RESOLVE_IN_ROOT).
#include <fcntl.h>

#include "base/text.h"
#include "cli/umbel/commands.h"
#include "cli/umbel/copy.h"
#include "container/lifecycle.h"
#include "sys/capability.h"
#include "sys/credentials.h"
#include "sys/file.h"
#include "sys/identity.h"

namespace umbel::cli {

namespace {

using container::Container;
using container::Home;

struct Options {
  std::vector<std::string> paths;
};

Syntax syntax(Options& o) {
  return {.operands = {"FROM TO", 2, 2, &o.paths},
          .about =
              "One of the two is CONTAINER:PATH. Into a directory that exists it is copied under "
              "its own name; a FROM that ends with /. means what is in it.\n\n"
              "Modes, owners, times and symbolic links are kept. Out of a container set-id bits, "
              "file capabilities and devices are not.",
          .examples = {{"umbel cp ./site web:/srv", "becomes /srv/site"},
                       {"umbel cp web:/var/log/. logs", "what is in it, into logs"}}};
}

// A path on the host, or in a container.
struct Side {
  std::optional<Container> container;
  Fd root;  // the container's
  std::string path;

  Result<Fd> open(const std::string& what, int flags) const {
    if (container) return during("in " + container->name(), sys::open_in_root(root, what, flags));
    return sys::open(cwd, what, flags);
  }
};

Result<Fd> root_of(const Container& container) {
  if (container.is_running()) {
    const Fd init = TRY(container.init());
    const std::string pid = std::to_string(container.state.init.pid.value());
    Fd root = TRY(sys::open(cwd, "/proc/" + pid + "/root", O_PATH | O_DIRECTORY));
    TRY(container.init());  // it was still that process when its root was opened
    return root;
  }
  const std::string& path = container.config.files.root.path;
  if (!path.empty()) return sys::open(cwd, path, O_PATH | O_DIRECTORY);
  return fail(container.name() + " does not run, and what it changed is gone with it",
              "start it first: umbel start " + container.name());
}

Result<Side> parse_side(const Home& home, const std::string& text) {
  const auto halves = cut(text, ':');
  // ./a:b is a file of the host.
  if (!halves || halves->before.contains('/') || halves->before.empty())
    return Side{.container = {}, .root = {}, .path = text};
  Container container = TRY(home.find(std::string(halves->before)));
  Fd root = TRY(root_of(container));
  return Side{.container = std::move(container),
              .root = std::move(root),
              .path = halves->after.empty() ? "/" : std::string(halves->after)};
}

struct Names {
  std::string directory, last;  // last is empty where the path is a directory itself
};
Names split_path(const std::string& path) {
  std::string text = path;
  const bool whole = text.ends_with('/') || text.ends_with("/.") || text == "." ||
                     text.ends_with("/..") || text == "..";
  if (whole) return {text, {}};
  const std::size_t slash = text.rfind('/');
  if (slash == std::string::npos) return {".", text};
  return {text.substr(0, slash + 1), text.substr(slash + 1)};
}

// "a/b/" is b, "a/b/." is what is in it.
std::string own_name(std::string path) {
  if (path.ends_with("/.") || path == ".") return {};
  while (path.ends_with('/')) path.pop_back();
  const std::string name = path.substr(path.rfind('/') + 1);
  return name == ".." ? std::string() : name;
}

struct Place {
  Fd directory;
  std::string name;
};

Result<Place> find_source(const Side& from) {
  const Names names = split_path(from.path);
  Fd directory = TRY(from.open(names.directory, O_PATH | O_DIRECTORY));
  std::string name = names.last.empty() ? "." : names.last;
  TRY(sys::status_at(directory, name));
  return Place{std::move(directory), std::move(name)};
}

Result<Place> find_target(const Side& to, const Side& from, bool is_directory) {
  Result<Fd> existing = to.open(to.path, O_PATH | O_DIRECTORY);
  if (existing) {
    std::string name = own_name(from.path);
    return Place{std::move(*existing), name.empty() ? "." : std::move(name)};
  }
  std::string path = to.path;
  while (is_directory && path.size() > 1 && path.ends_with('/')) path.pop_back();
  const Names names = split_path(path);
  if (names.last.empty())
    return Failure(during("the directory " + to.path, std::move(existing)).error());
  Fd directory = TRY(to.open(names.directory, O_PATH | O_DIRECTORY));
  return Place{std::move(directory), names.last};
}

Result<std::vector<ns::IdRange>> id_map(const Container& container, std::string_view file) {
  std::vector<ns::IdRange> map;
  if (!container.is_running()) return map;
  const std::string text = TRY(sys::read_file(
      cwd, "/proc/" + std::to_string(container.state.init.pid.value()) + "/" + std::string(file)));
  for (const std::string_view line : split(text, '\n')) {
    const auto parts = words(line);
    if (parts.size() != 3) continue;
    const auto value = [&](std::size_t i) {
      return static_cast<std::uint32_t>(unsigned_number(parts[i]).value_or(0));
    };
    map.push_back({value(0), value(1), value(2)});
  }
  return map;
}

// A file system that belongs to a user namespace takes new files only from ids that it knows
// (EOVERFLOW else): they are made as its root, with all of one's own rights.
Result<void> become_known(const CopyRules& rules) {
  const auto uid = outside_id(rules.uid_map, 0);
  const auto gid = outside_id(rules.gid_map, 0);
  if (!rules.keep_owners || rules.direction == Direction::out_of_container || !uid || !gid)
    return {};
  sys::CapabilitySets own = TRY(sys::capget());
  TRY(sys::set_file_ids(*uid, *gid));
  own.effective = own.permitted;
  return sys::capset(own);
}

Result<int> act(const Options& o) {
  const Home home = TRY(Home::open());
  const Side from = TRY(parse_side(home, o.paths[0]));
  const Side to = TRY(parse_side(home, o.paths[1]));
  if (from.container.has_value() == to.container.has_value())
    return fail(from.container ? "both are in containers" : "neither is in a container",
                from.container ? "copy to the host first, then into the other"
                               : "write one of them as CONTAINER:PATH");
  const Container& inside = from.container ? *from.container : *to.container;
  CopyRules rules{
      .direction = from.container ? Direction::out_of_container : Direction::into_container,
      .keep_owners = sys::own_uid() == 0};
  rules.uid_map = TRY(id_map(inside, "uid_map"));
  rules.gid_map = TRY(id_map(inside, "gid_map"));
  TRY(become_known(rules));
  const Place source = TRY(during(o.paths[0], find_source(from)));
  const struct stat what = TRY(sys::status_at(source.directory, source.name));
  const Place target = TRY(during(o.paths[1], find_target(to, from, S_ISDIR(what.st_mode))));
  TRY(during("copying " + o.paths[0] + " to " + o.paths[1],
             copy_entry({source.directory, source.name}, {target.directory, target.name}, rules)));
  return 0;
}

}  // namespace

const Verb cp_verb = verb<Options, syntax, act>;

}  // namespace umbel::cli
