// Crash safety, in the order of writes: the directory (claims the name), config, state, and only
// then anything else that a container has; so whatever a killed umbel leaves behind is named by a
// state that `rm` can read. Locks are flock(2) on the directory and end with their holder.
#include "container/store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <random>

#include "base/record.h"
#include "base/text.h"
#include "container/process_id.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/process.h"
#include "sys/wait.h"

namespace umbel::container {

namespace {

constexpr std::size_t most_letters = 200;
constexpr std::size_t most_letters_of_host = 64;  // sethostname(2)

constexpr std::string_view first_words =
    "amber bold brave brisk calm clear cool deft eager fair fine fresh gentle glad keen kind light "
    "lively "
    "lucid merry mild neat noble plain proud quick quiet rapid ready sharp smart solid spry stable "
    "sunny "
    "swift tidy vivid warm wise";
constexpr std::string_view second_words =
    "anise angelica carrot caraway celery chervil cicely coriander cumin dill fennel ginseng "
    "hogweed ivy "
    "laser lovage masterwort milkweed onion parsley parsnip pennywort primrose rampion samphire "
    "sanicle "
    "silphium skirret sedum yarrow";

std::string invented_name() {
  static std::mt19937 random{std::random_device{}()};
  const auto pick = [](std::string_view list) {
    const auto all = words(list);
    return std::string(all[random() % all.size()]);
  };
  return pick(first_words) + "-" + pick(second_words);
}

template <class Record>
Result<Record> read_record(FdRef dir, const std::string& file) {
  const Value value = TRY(during(file, parse_json(TRY(sys::read_file(dir, file)))));
  return during(file, from_value<Record>(value));
}

template <class Record>
Result<void> write_record(FdRef dir, const std::string& file, const Record& record) {
  return sys::replace_file(dir, file, json_text(to_value(record)), 0600);
}

std::string home_path() {
  const auto variable = [](const char* name) {
    const char* value = ::secure_getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  if (std::string home = variable("UMBEL_HOME"); !home.empty()) return home;
  if (sys::own_uid() == 0) return "/run/umbel";
  if (std::string runtime = variable("XDG_RUNTIME_DIR"); !runtime.empty())
    return runtime + "/umbel";
  return "/tmp/umbel-" + std::to_string(sys::own_uid());
}

// A directory of umbel's own: nobody else may have put anything into it.
Result<Fd> own_directory(const std::string& path) {
  TRY(during("umbel's directory " + path, sys::make_directories(path, 0700)));
  Fd dir = TRY(sys::open(cwd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  const struct stat found = TRY(sys::status(dir));
  if (found.st_uid != sys::own_uid() || (found.st_mode & 022) != 0)
    return fail(path + " belongs to somebody else or can be written by others",
                "remove it, or set UMBEL_HOME to a directory of your own");
  return dir;
}

}  // namespace

Result<void> check_name(const std::string& name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const bool good = !name.empty() && name.size() <= most_letters &&
                    (plain(name[0]) || name[0] == '_') && std::ranges::all_of(name, [&](char c) {
                      return plain(c) || std::string_view("_.+-").contains(c);
                    });
  if (good) return {};
  return fail("'" + name + "' cannot be a container's name",
              "use up to 200 letters, digits, and _ . + - after the first");
}

std::string_view status_text(Status status) {
  static constexpr std::array<std::string_view, 8> texts{
      "created", "created", "running", "paused", "exited", "lost", "incomplete", "checkpointed"};
  return texts.at(static_cast<std::size_t>(status));
}

Status Container::status() const {
  if (config.name.empty() || state.created == 0) return Status::incomplete;
  if (!state.init.pid) return Status::created;
  if (state.exit_code) return Status::exited;
  const bool alive = is_alive(state.init);
  if (!alive && !state.checkpoint.empty()) return Status::checkpointed;
  if (!alive) return state.started == 0 && !state.waiting ? Status::incomplete : Status::lost;
  const Result<bool> frozen = group().frozen();
  if (frozen && *frozen) return Status::paused;
  return state.waiting ? Status::waiting : Status::running;
}

bool Container::is_running() const {
  const Status now = status();
  return now == Status::running || now == Status::paused || now == Status::waiting;
}

Result<Fd> Container::init() const {
  if (!is_running()) {
    const Status now = status();
    const std::string how =
        now == Status::exited ? " (exit code " + std::to_string(*state.exit_code) + ")" : "";
    const std::string cure = now == Status::incomplete     ? "remove it: umbel rm "
                             : now == Status::checkpointed ? "bring it back: umbel restore "
                                                           : "start it: umbel start ";
    return fail(name() + " is not running: it is " + std::string(status_text(now)) + how,
                cure + (now == Status::checkpointed ? state.checkpoint : name()));
  }
  Fd pidfd = TRY(sys::pidfd_open(state.init.pid));
  // Only now that the descriptor holds the process can its identity be trusted.
  if (!is_alive(state.init))
    return fail(name() + " has just ended", "start it: umbel start " + name());
  return pidfd;
}

Result<void> Container::save_config() const { return write_record(dir_, "config.json", config); }
Result<void> Container::save_state() const { return write_record(dir_, "state.json", state); }

std::string Container::path(std::string_view file) const {
  return home_ + "/containers/" + directory_name_ + "/" + std::string(file);
}

Result<void> Container::lock() {
  lock_ = TRY(sys::open(dir_, ".", O_RDONLY | O_DIRECTORY));
  TRY(sys::lock(lock_, sys::Lock::exclusive));
  // Who held it may have removed the container.
  if (!sys::exists(dir_, ".") || TRY(sys::status(dir_)).st_nlink == 0)
    return fail_with(ENOENT, "there is no container " + directory_name_ + " any more");
  if (sys::exists(dir_, "config.json")) config = TRY(read_record<Config>(dir_, "config.json"));
  if (sys::exists(dir_, "state.json")) state = TRY(read_record<State>(dir_, "state.json"));
  return {};
}

Result<void> Container::erase() {
  const Fd containers = TRY(sys::open(cwd, home_ + "/containers", O_RDONLY | O_DIRECTORY));
  // A monitor that has lost its container may still be making its log.
  Result<void> removed;
  for (int tries = 0; tries < 100; ++tries) {
    removed = sys::remove_tree(containers, directory_name_);
    if (removed || removed.error().code != ENOTEMPTY) break;
    sys::sleep_for(std::chrono::milliseconds(1));
  }
  return removed;
}

Result<Home> Container::home() const { return Home::open(home_); }

Result<Home> Home::open() { return open(home_path()); }

Result<Home> Home::open(const std::string& path) {
  Home home;
  home.path_ = path;
  home.dir_ = TRY(own_directory(home.path_));
  Result<void> made = sys::make_directory(home.dir_, "containers", 0700);
  if (!made && made.error().code != EEXIST) return Failure(std::move(made).error());
  return home;
}

Result<std::string> Home::cache() const {
  Result<void> made = sys::make_directory(dir_, "cache", 0700);
  if (!made && made.error().code != EEXIST) return Failure(std::move(made).error());
  return path_ + "/cache";
}

// A name is taken once in a home; two homes may use it at once. Those outside of /run, where the
// users' own are, say who they are by their inode.
Result<std::string> Home::cgroup_ending(const Config& config) const {
  if (config.cgroup.ends_with('/')) return config.name;
  if (!config.cgroup.ends_with('-')) return std::string();
  if (path_.starts_with("/run/")) return config.name;
  return config.name + "-" + std::to_string(TRY(sys::status(dir_)).st_ino);
}

Result<Container> Home::create(Config config) const {
  const bool invent = config.name.empty();
  // Kept in full: an abbreviation may be one of another container by the next start.
  for (const ns::KindInfo& kind : ns::kinds) {
    ns::Source& source = config.namespaces[kind.kind];
    if (source.from != ns::From::with) continue;
    const std::string step = "--" + std::string(kind.option) + " with:" + source.what;
    source.what = TRY(during(step, find(source.what))).name();
  }
  if (!invent) TRY(check_name(config.name));
  for (int tries = 0;; ++tries) {
    if (invent) config.name = invented_name() + (tries < 8 ? "" : "-" + std::to_string(tries));
    Result<void> made = sys::make_directory(dir_, "containers/" + config.name, 0700);
    if (made) break;
    if (made.error().code != EEXIST) return Failure(std::move(made).error());
    if (!invent)
      return fail_with(EEXIST, "the name " + config.name + " is taken by another container",
                       "choose another --name, or remove that one: umbel rm " + config.name);
  }
  Container made;
  made.home_ = path_;
  made.directory_name_ = config.name;
  made.dir_ = TRY(sys::open(dir_, "containers/" + config.name, O_RDONLY | O_DIRECTORY));
  const auto written = [&]() -> Result<void> {
    TRY(made.lock());
    if (config.named_host && !config.settings.hostname)
      config.settings.hostname = config.name.substr(0, most_letters_of_host);
    config.cgroup += TRY(cgroup_ending(config));
    made.config = std::move(config);
    made.state.created = now();
    TRY(made.save_config());
    return made.save_state();
  }();
  if (written) return made;
  (void)made.erase();
  return Failure(written.error());
}

Result<Container> Home::exactly(const std::string& name) const {
  if (name.empty() || name == "." || name == ".." || name.contains('/'))
    return fail("'" + name + "' is no container's name");
  Container found;
  found.home_ = path_;
  found.directory_name_ = name;
  found.dir_ = TRY(sys::open(dir_, "containers/" + name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  // A killed umbel may have left either file out: the container is incomplete then.
  if (Result<Config> config = read_record<Config>(found.dir_, "config.json"))
    found.config = std::move(*config);
  if (Result<State> state = read_record<State>(found.dir_, "state.json"))
    found.state = std::move(*state);
  found.config.name = name;
  return found;
}

Result<Container> Home::find(const std::string& name) const {
  Result<Container> exact = exactly(name);
  if (exact || exact.error().code != ENOENT) return exact;
  const std::vector<std::string> names = TRY(sys::list(dir_, "containers"));
  std::vector<std::string_view> candidates;
  for (const std::string& known : names)
    if (known.starts_with(name)) candidates.push_back(known);
  if (candidates.size() == 1) return exactly(std::string(candidates[0]));
  if (candidates.size() > 1)
    return fail("'" + name + "' could be " + std::string(candidates[0]) + " or " +
                    std::string(candidates[1]),
                "write more of the name");
  const std::vector<std::string_view> all(names.begin(), names.end());
  const auto meant = nearest(name, all);
  return fail_with(
      ENOENT, "there is no container " + name,
      meant ? "did you mean " + std::string(*meant) + "?" : "umbel ps -a lists what there is");
}

Result<std::vector<Container>> Home::all() const {
  std::vector<std::string> names = TRY(sys::list(dir_, "containers"));
  std::ranges::sort(names);
  std::vector<Container> found;
  for (const std::string& name : names) {
    Result<Container> one = exactly(name);
    if (one) found.push_back(std::move(*one));  // else it was removed meanwhile
  }
  return found;
}

Result<void> Home::rename(Container& container, const std::string& name) const {
  TRY(check_name(name));
  if (sys::exists(dir_, "containers/" + name))
    return fail_with(EEXIST, "the name " + name + " is taken by another container");
  container.config.name = name;
  TRY(container.save_config());
  TRY(sys::rename(dir_, "containers/" + container.directory_name_, dir_, "containers/" + name));
  container.directory_name_ = name;
  return {};
}

}  // namespace umbel::container
