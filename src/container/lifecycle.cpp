#include "container/lifecycle.h"

#include <poll.h>

#include <array>
#include <thread>

#include "base/record.h"
#include "base/text.h"
#include "container/process_id.h"
#include "container/start.h"
#include "sys/file.h"
#include "sys/wait.h"

namespace umbel::container {

namespace {

using namespace std::chrono_literals;

bool has_reaper(const Config& config) {
  return config.init && config.namespaces[ns::Kind::pid].from == ns::From::fresh;
}

// The reaper hands every signal on but this one, which nobody can catch: its oldest child gets it.
Result<void> stop_command(const Container& container) {
  const std::string pid = std::to_string(container.state.init.pid.value());
  const std::string children =
      TRY(sys::read_file(cwd, "/proc/" + pid + "/task/" + pid + "/children"));
  const auto pids = words(children);
  const auto first = pids.empty() ? std::nullopt : number(pids[0]);
  if (!first) return fail(container.name() + " has no command to stop");
  const Fd command = TRY(sys::pidfd_open(HostPid(static_cast<std::int32_t>(*first))));
  return sys::pidfd_signal(command, SIGSTOP);
}

Result<cgroup::Cgroup> group_of(const Container& container, std::string_view wish) {
  if (!container.state.cgroup.empty()) return container.group();
  return fail(container.name() + " has no cgroup, and " + std::string(wish) + " needs one",
              "start it where umbel may make cgroups (umbel info says how)");
}

// A cgroup that was made and not recorded yet: claimed again, it can be removed. An init that was
// not recorded either ends with its umbel, but it may still be about to. What is in use for longer
// is another's (of the same name, in another state directory).
Result<void> remove_unrecorded(const Container& container) {
  for (int tries = 0; tries < 200; ++tries) {
    Result<cgroup::Cgroup> claimed = cgroup::Cgroup::create(container.config.cgroup);
    if (claimed) return claimed->remove();
    if (claimed.error().code != EEXIST) break;
    sys::sleep_for(10ms);
  }
  return {};
}

// What a killed umbel left: an init that is still there, a cgroup that was never recorded.
Result<void> clean_up(Container& container) {
  State& state = container.state;
  if (is_alive(state.init)) {
    const Result<Fd> init = sys::pidfd_open(state.init.pid);
    if (init && is_alive(state.init)) {
      (void)sys::pidfd_signal(*init, SIGKILL);
      (void)sys::wait_end(*init, 10s);
    }
  }
  if (!state.cgroup.empty()) {
    cgroup::Cgroup group = container.group();
    (void)group.kill(SIGKILL);
    return group.remove();
  }
  return container.config.cgroup.empty() ? Result<void>() : remove_unrecorded(container);
}

// A value that the changes leave open keeps what it was.
Result<cgroup::Limits> merged(const cgroup::Limits& now, const cgroup::Limits& changes) {
  Value all = to_value(now);
  const Value changed = to_value(changes);
  for (const auto& [name, value] : *changed.as<Value::Object>()) {
    const auto* text = value.as<std::string>();
    const auto* list = value.as<Value::Array>();
    const auto* object = value.as<Value::Object>();
    const bool empty = value.is_null() || (text && text->empty()) || (list && list->empty()) ||
                       (object && object->empty());
    if (!empty) all[name] = value;
  }
  return from_value<cgroup::Limits>(all);
}

}  // namespace

Result<void> kill(Container& container, int signal) {
  const Fd init = TRY(container.init());
  if (signal == SIGSTOP && has_reaper(container.config)) return stop_command(container);
  const bool shares_pids = container.config.namespaces[ns::Kind::pid].from != ns::From::fresh;
  if (signal == SIGKILL && shares_pids && !container.state.cgroup.empty())
    return container.group().kill(SIGKILL);
  return sys::pidfd_signal(init, signal);
}

Result<void> stop(Container& container, std::chrono::milliseconds patience) {
  const Fd init = TRY(container.init());
  const bool paused = container.status() == Status::paused;
  TRY(kill(container, TRY(parse_signal(container.config.stop_signal))));
  if (paused) TRY(container.group().thaw());
  if (!TRY(sys::wait_end(init, patience))) {
    (void)kill(container, SIGKILL);  // it may end by itself just now
    if (!TRY(sys::wait_end(init, 10s)))
      return fail(container.name() + " does not end, not even by SIGKILL",
                  "a process of it may hang in the kernel: umbel top " + container.name());
  }
  (void)wait(container);  // until its monitor has put it away
  return {};
}

Result<void> pause(Container& container) {
  TRY(container.init());
  return TRY(group_of(container, "pausing")).freeze();
}

Result<void> resume(Container& container) {
  TRY(container.init());
  return TRY(group_of(container, "resuming")).thaw();
}

Result<void> update(Container& container, const cgroup::Limits& changes) {
  if (container.is_running()) TRY(TRY(group_of(container, "limiting")).limit(changes));
  container.config.limits = TRY(merged(container.config.limits, changes));
  return container.save_config();
}

Result<int> wait(Container& container) {
  if (container.status() == Status::checkpointed) TRY(container.init());
  if (container.state.exit_code) return *container.state.exit_code;
  const Result<Fd> init = container.init();
  if (init) TRY(sys::wait_end(*init, std::chrono::hours(24 * 365)));
  // Its monitor records the end right after; where that was killed nobody will.
  for (int tries = 0; tries < 500; ++tries) {
    if (init)
      if (const Result<sys::Exit> exit = sys::exit_of(*init);
          exit && !is_alive(container.state.monitor))
        return exit->code();
    const Result<std::string> text = sys::read_file(container.directory(), "state.json");
    if (!text && init) return TRY(sys::exit_of(*init)).code();  // --rm
    if (text)
      if (const auto value = parse_json(*text))
        if (const auto state = from_value<State>(*value); state && state->exit_code) {
          container.state = *state;
          return *state->exit_code;
        }
    if (!is_alive(container.state.monitor) && tries > 10) break;
    std::this_thread::sleep_for(2ms);
  }
  return fail("nobody saw how " + container.name() + " ended: its monitor was killed",
              "remove it: umbel rm " + container.name());
}

Result<void> remove(Container& container, Force force) {
  TRY(container.lock());
  if (container.is_running()) {
    if (force == Force::no)
      return fail(container.name() + " is " + std::string(status_text(container.status())),
                  "stop it first (umbel stop " + container.name() + "), or umbel rm --force " +
                      container.name());
    if (container.status() == Status::paused) (void)container.group().thaw();
  }
  TRY(clean_up(container));
  return forget(container);
}

namespace {

struct SignalName {
  int number;
  std::string_view name;
};
constexpr std::array signal_names = std::to_array<SignalName>(
    {{SIGHUP, "HUP"},   {SIGINT, "INT"},       {SIGQUIT, "QUIT"}, {SIGILL, "ILL"},
     {SIGTRAP, "TRAP"}, {SIGABRT, "ABRT"},     {SIGBUS, "BUS"},   {SIGFPE, "FPE"},
     {SIGKILL, "KILL"}, {SIGUSR1, "USR1"},     {SIGSEGV, "SEGV"}, {SIGUSR2, "USR2"},
     {SIGPIPE, "PIPE"}, {SIGALRM, "ALRM"},     {SIGTERM, "TERM"}, {SIGSTKFLT, "STKFLT"},
     {SIGCHLD, "CHLD"}, {SIGCONT, "CONT"},     {SIGSTOP, "STOP"}, {SIGTSTP, "TSTP"},
     {SIGTTIN, "TTIN"}, {SIGTTOU, "TTOU"},     {SIGURG, "URG"},   {SIGXCPU, "XCPU"},
     {SIGXFSZ, "XFSZ"}, {SIGVTALRM, "VTALRM"}, {SIGPROF, "PROF"}, {SIGWINCH, "WINCH"},
     {SIGIO, "IO"},     {SIGPWR, "PWR"},       {SIGSYS, "SYS"}});

}  // namespace

Result<int> parse_signal(std::string_view text) {
  std::string name(text);
  for (char& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  if (name.starts_with("SIG")) name.erase(0, 3);
  for (const SignalName& known : signal_names)
    if (known.name == name) return known.number;
  const int first_real = SIGRTMIN;
  const int last_real = SIGRTMAX;
  std::optional<std::int64_t> value = number(name);
  if (name == "RTMIN") value = first_real;
  if (name == "RTMAX") value = last_real;
  if (name.starts_with("RTMIN+"))
    if (const auto more = number(std::string_view(name).substr(6))) value = first_real + *more;
  if (name.starts_with("RTMAX-"))
    if (const auto less = number(std::string_view(name).substr(6))) value = last_real - *less;
  if (value && *value >= 1 && *value <= last_real) return static_cast<int>(*value);
  std::vector<std::string_view> all;
  for (const SignalName& known : signal_names) all.push_back(known.name);
  const auto meant = nearest(name, all);
  return fail(
      "'" + std::string(text) + "' is no signal",
      meant ? "did you mean " + std::string(*meant) + "?" : "write it like TERM, SIGTERM or 15");
}

std::string signal_name(int signal) {
  for (const SignalName& known : signal_names)
    if (known.number == signal) return "SIG" + std::string(known.name);
  return "signal " + std::to_string(signal);
}

Result<std::vector<NamespaceView>> namespaces(const Home& home, const Container& container) {
  const auto inode_of = [](const Container& of, const ns::KindInfo& kind) -> std::uint64_t {
    if (!of.is_running()) return 0;
    const Result<Fd> ns = sys::open(
        cwd, "/proc/" + std::to_string(of.state.init.pid.value()) + "/ns/" + std::string(kind.proc),
        O_PATH);
    const Result<sys::Identity> id = ns ? sys::identity(*ns) : Result<sys::Identity>();
    return ns && id ? id->inode : 0;
  };
  const std::vector<Container> all = TRY(home.all());
  std::vector<NamespaceView> views;
  for (const ns::KindInfo& kind : ns::kinds) {
    NamespaceView view{.kind = kind.kind,
                       .inode = inode_of(container, kind),
                       .source = container.config.namespaces[kind.kind]};
    const Fd own = TRY(sys::open(cwd, "/proc/self/ns/" + std::string(kind.proc), O_PATH));
    view.host = view.inode != 0 && TRY(sys::identity(own)).inode == view.inode;
    for (const Container& other : all)
      if (view.inode != 0 && other.name() != container.name() &&
          inode_of(other, kind) == view.inode)
        view.shared_with.push_back(other.name());
    if (const auto moved = container.state.moved.find(std::string(kind.option));
        view.inode != 0 && moved != container.state.moved.end())
      view.next = moved->second;
    views.push_back(std::move(view));
  }
  return views;
}

}  // namespace umbel::container
