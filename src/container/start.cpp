#include "container/start.h"

#include <fcntl.h>

#include "base/record.h"
#include "container/gate.h"
#include "container/lifecycle.h"
#include "container/listener.h"
#include "container/process_id.h"
#include "ns/named.h"
#include "sys/file.h"
#include "sys/identity.h"

namespace umbel::container {

namespace {

std::vector<rootfs::IdMapping> id_mappings(const std::vector<ns::IdRange>& ranges) {
  std::vector<rootfs::IdMapping> made;
  for (const ns::IdRange& range : ranges)
    made.push_back({.inside = range.inside, .outside = range.outside, .count = range.count});
  return made;
}

Result<Surroundings> surround(const Container& container, const Start& how) {
  const Config& config = container.config;
  const Home home = TRY(container.home());
  Surroundings around{.stdio = how.stdio, .preserved = how.preserved, .revival = how.revival};
  around.awaits_devices = !config.net_devices.empty();
  if (how.wait) around.gate = TRY(make_gate(container.directory()));
  around.namespaces =
      TRY(ns::plan(config.namespaces, [&](const ns::KindInfo& kind, const ns::Source& source) {
        return open_source(home, kind, source);
      }));
  if (around.namespaces.is_fresh(ns::Kind::mnt)) {
    const rootfs::Mappings own{.uids = id_mappings(config.settings.uid_map),
                               .gids = id_mappings(config.settings.gid_map)};
    around.files = TRY(rootfs::prepare(config.files, own));
  }
  around.filter = TRY(of_field(asked(config), "linux.seccomp", filter_of(config.process, home)));
  return around;
}

bool any_limit(const cgroup::Limits& limits) {
  return json_text(to_value(limits)) != json_text(to_value(cgroup::Limits()));
}

// This host has no cgroups, or lets this process make none.
bool has_none(const Error& error) {
  return error.code == EOPNOTSUPP || error.code == EACCES || error.code == EPERM ||
         error.code == EROFS;
}

// Nothing where there is none to be had and no limit asks for one.
Result<std::optional<cgroup::Cgroup>> begin_cgroup(const Config& config,
                                                   const Surroundings& around) {
  std::optional<cgroup::Cgroup> group;
  if (config.cgroup.empty()) return group;
  // A parent may go with another of its children before this one is made.
  const bool later = around.works_ahead() && !config.cgroup.contains('/');
  Result<cgroup::Cgroup> made =
      later ? cgroup::Cgroup::prepare(config.cgroup) : cgroup::Cgroup::create(config.cgroup);
  if (!made && has_none(made.error()) && !any_limit(config.limits)) return group;
  group = TRY(during("making the cgroup", std::move(made)));
  return group;
}

Result<void> finish_cgroup(const Config& config, cgroup::Cgroup& group) {
  TRY(during("making the cgroup", group.complete()));
  TRY(of_field(asked(config), "linux.resources", group.limit(config.limits)));
  if (config.device_rules.empty()) return {};
  return of_field(asked(config), "linux.resources.devices",
                  group.restrict_devices(config.device_rules));
}

Result<void> write_pid_file(const Container& container) {
  if (container.config.pid_file.empty()) return {};
  const Fd file = TRY(during(
      "--pidfile", sys::open(cwd, container.config.pid_file, O_WRONLY | O_CREAT | O_TRUNC, 0644)));
  return sys::write_all(file, std::to_string(container.state.init.pid.value()) + "\n");
}

std::vector<std::string> after_start(const Container& container) {
  return run_all_hooks(container.config.hooks.poststart, "poststart", container.config, "running",
                       container.state.init.pid);
}

void add_notes(State& state, std::vector<std::string> notes) {
  for (std::string& note : notes) state.notes.push_back(std::move(note));
}

}  // namespace

Result<std::optional<security::Filter>> filter_of(const Process& process, const Home& home) {
  std::optional<security::Filter> filter;
  if (process.default_filter)
    filter = TRY(security::default_filter(process.capabilities.bounding, TRY(home.cache())));
  else if (process.seccomp)
    filter = TRY(security::compile(*process.seccomp, TRY(home.cache())));
  if (filter && filter->listener && process.seccomp->listener_path.empty())
    return fail("the seccomp profile has SCMP_ACT_NOTIFY and nobody to notify",
                "set its listenerPath to the socket of a program that answers");
  return filter;
}

Result<Fd> open_namespace_of(const Home& home, const ns::KindInfo& kind, const std::string& name) {
  const std::string step = "--" + std::string(kind.option) + " with:" + name;
  // In full: what once was an abbreviation of it may be one of another container by now.
  Result<Container> found = home.exactly(name);
  if (!found && found.error().code == ENOENT)
    return fail_with(ENOENT, step + ": there is no container " + name,
                     "umbel ps -a lists what there is");
  const Container other = TRY(during(step, std::move(found)));
  const Fd init = TRY(during(step, other.init()));
  Fd ns = TRY(during(step, sys::open(cwd,
                                     "/proc/" + std::to_string(other.state.init.pid.value()) +
                                         "/ns/" + std::string(kind.proc),
                                     O_RDONLY)));
  // The pid was still that process's when its namespace was opened.
  if (!is_alive(other.state.init)) return fail(step + ": " + name + " has just ended");
  return ns;
}

Result<Fd> open_source(const Home& home, const ns::KindInfo& kind, const ns::Source& source) {
  if (source.from == ns::From::with) return open_namespace_of(home, kind, source.what);
  const ns::Names names = TRY(ns::Names::open(home.path()));
  return during("--" + std::string(kind.option), names.open(kind.kind, source.what));
}

Result<Launched> start(Container& container, const Start& how) {
  const Config& config = container.config;
  State& state = container.state;
  Surroundings around = TRY(surround(container, how));
  const State before = state;
  state.exit_code.reset();
  state.checkpoint.clear();
  state.moved.clear();  // the config has it: now all of it is there
  state.started = state.finished = 0;
  state.out_of_memory = state.waiting = false;
  std::optional<cgroup::Cgroup> group = TRY(begin_cgroup(config, around));
  if (group) {
    state.cgroup = group->paths();
    around.cgroup = &*group;
  }
  Result<Launched> launched = launch(config, around, [&](HostPid pid) -> Result<void> {
    state.init = TRY(identify(pid));
    state.monitor = TRY(identify(sys::own_pid()));
    if (group) TRY(finish_cgroup(config, *group));
    return container.save_state();
  });
  const auto recorded = [&]() -> Result<void> {
    if (!launched) return Failure(launched.error());
    state.waiting = how.wait;
    if (!how.wait) state.started = now();
    state.notes = launched->notes;
    if (!how.wait) add_notes(state, after_start(container));
    TRY(write_pid_file(container));
    return container.save_state();
  }();
  if (!recorded) {
    state = before;
    (void)container.save_state();
    return Failure(recorded.error());
  }
  if (group) group->detach();
  launched->devices.keep();
  return launched;
}

Result<std::vector<std::string>> release(Container& container) {
  if (const Status now = container.status(); now != Status::waiting)
    return fail(container.name() + " does not wait to be started: it is " +
                std::string(status_text(now)));
  TRY(open_gate(container.directory(), [&](FdRef channel, const Heard& heard) {
    return hand_on_listener(channel, heard, container.config, "created", container.state.init.pid);
  }));
  container.state.waiting = false;
  container.state.started = now();
  TRY(container.save_state());
  return after_start(container);
}

Result<void> finish(Container& container, const sys::Exit& exit) {
  const Result<void> locked = container.lock();
  // `umbel rm --force` has put everything away already.
  if (!locked && locked.error().code == ENOENT) return {};
  TRY(Result<void>(locked));
  State& state = container.state;
  if (!state.cgroup.empty()) {
    cgroup::Cgroup group = container.group();
    if (const Result<cgroup::Usage> usage = group.usage())
      state.out_of_memory = usage->oom_kills > 0;
    // In a shared pid namespace the command's children outlive it.
    (void)group.kill(SIGKILL);
    TRY(group.remove());
    state.cgroup.clear();
  }
  state.finished = now();
  // It has not ended: its checkpoint took its place.
  if (!state.checkpoint.empty()) {
    TRY(container.save_state());
    container.unlock();
    return {};
  }
  state.exit_code = exit.code();
  TRY(container.save_state());
  if (container.config.auto_remove) return forget(container);
  container.unlock();
  return {};
}

Result<void> forget(Container& container) {
  TRY(container.erase());
  container.state.notes =
      run_all_hooks(container.config.hooks.poststop, "poststop", container.config, "stopped", {});
  return {};
}

}  // namespace umbel::container
