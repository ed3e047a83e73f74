// spawn() leaves a child that starts the container, and then waits for it and puts it away: what
// the monitor of a detached container is, so that the record tells the end also when the caller
// itself has ended by then.
#include <signal.h>

#include <chrono>

#include "base/text.h"
#include "container/lifecycle.h"
#include "container/start.h"
#include "library/apart.h"
#include "library/config.h"
#include "sys/file.h"
#include "sys/identity.h"

namespace umbel {

using library::apart;

struct Container::Inner {
  container::Container record;
  Fd init;               // a pidfd
  sys::Process monitor;  // of a spawned one
  bool owned = false;    // ends with the handle
  std::optional<int> code;
};

struct Process::Inner {
  HostPid pid;
  Fd pidfd;
  sys::Process waiter;  // exits as the program exits
  std::optional<int> code;
};

namespace {

Result<container::Container> record_of(const std::string& name) {
  const container::Home home = TRY(container::Home::open());
  return home.exactly(name);
}

// In the child that stays. What could not be started leaves no record.
Result<int> run(const container::Config& config, const Options& options,
                const library::Ready& ready) {
  const container::Home home = TRY(container::Home::open());
  container::Container made = TRY(home.create(config));
  const container::Stdio stdio{.in = options.in, .out = options.out, .err = options.err};
  Result<container::Launched> launched = container::start(made, {.stdio = stdio});
  if (!launched) {
    (void)container::remove(made, container::Force::yes);
    return Failure(std::move(launched).error());
  }
  made.unlock();
  ns::Brought brought{.text = made.name()};
  brought.fds.push_back(TRY(sys::duplicate(launched->init.pidfd())));
  TRY(ready(brought));
  const Fd pidfd = launched->init.detach();
  const FdRef keep = pidfd;
  TRY(sys::close_all_but(0, std::span(&keep, 1)));
  const sys::Exit exit = TRY(sys::reap(pidfd));
  // Opened anew: what the record held open was closed with all the rest.
  container::Container record = TRY(record_of(made.name()));
  (void)container::finish(record, exit);
  return exit.code();
}

Result<int> code_of(sys::Process& waiter) { return TRY(waiter.wait()).code(); }

}  // namespace

Source with(const Container& container) {
  return {.from = Source::From::with, .what = container.name()};
}
Source with(std::string container) {
  return {.from = Source::From::with, .what = std::move(container)};
}
Source named(std::string name) { return {.from = Source::From::named, .what = std::move(name)}; }
Source at(std::string path) { return {.from = Source::From::path, .what = std::move(path)}; }

Result<Container> spawn(const Namespaces& namespaces, const std::vector<std::string>& argv,
                        const Options& options) {
  const container::Config config = TRY(library::config_of(namespaces, argv, options));
  library::Staying started =
      TRY(library::stay([&](const library::Ready& ready) { return run(config, options, ready); }));
  auto inner = std::make_unique<Container::Inner>();
  inner->record = TRY(record_of(started.brought.text));
  inner->init = std::move(started.brought.fds.at(0));
  inner->monitor = std::move(started.process);
  inner->owned = true;
  return Container(std::move(inner));
}

Result<Container> Container::find(const std::string& name) {
  auto inner = std::make_unique<Inner>();
  inner->record = TRY(record_of(name));
  if (Result<Fd> init = inner->record.init()) inner->init = std::move(*init);
  return Container(std::move(inner));
}

Container::Container(std::unique_ptr<Inner> inner) : inner_(std::move(inner)) {}
Container::Container(Container&&) noexcept = default;

Container& Container::operator=(Container&& other) noexcept {
  std::swap(inner_, other.inner_);  // what was here ends with `other`
  return *this;
}

Container::~Container() {
  if (!inner_ || !inner_->owned) return;
  (void)kill(SIGKILL);
  (void)wait();
  (void)apart([&]() -> Result<ns::Brought> {
    container::Container record = TRY(record_of(name()));
    TRY(container::remove(record, container::Force::yes));
    return ns::Brought();
  });
}

const std::string& Container::name() const { return inner_->record.name(); }

pid_t Container::pid() const {
  if (!inner_->init) return 0;
  const Result<bool> ended = sys::wait_end(inner_->init, std::chrono::milliseconds(0));
  return ended && *ended ? 0 : inner_->record.state.init.pid.value();
}

FdRef Container::pidfd() const { return inner_->init; }

Result<Fd> Container::namespace_of(Kind kind) const {
  const ns::KindInfo& info = ns::info(library::kind_of(kind));
  const pid_t first = pid();
  if (first == 0) return fail_with(ESRCH, name() + " is not running");
  Fd ns = TRY(
      sys::open(cwd, "/proc/" + std::to_string(first) + "/ns/" + std::string(info.proc), O_RDONLY));
  // The pid was still that process's when its namespace was opened.
  if (pid() == 0) return fail_with(ESRCH, name() + " has just ended");
  return ns;
}

Result<int> Container::wait() {
  if (inner_->code) return *inner_->code;
  inner_->code =
      inner_->monitor ? TRY(code_of(inner_->monitor)) : TRY(container::wait(inner_->record));
  return *inner_->code;
}

Result<void> Container::kill(int signal) { return container::kill(inner_->record, signal); }

Result<void> Container::detach() {
  inner_->owned = false;
  (void)inner_->monitor.detach();
  return {};
}

Result<Process> Container::exec(const std::vector<std::string>& argv, const Options& options) {
  if (argv.empty()) return fail("there is no command to run");
  library::Staying started = TRY(library::stay([&](const library::Ready& ready) -> Result<int> {
    container::Container record = TRY(record_of(name()));
    container::Process process = record.config.process;
    process.args = argv;
    library::apply(options, process);
    container::Started born = TRY(container::exec(
        record, process, {.stdio = {.in = options.in, .out = options.out, .err = options.err}}));
    ns::Brought brought{.text = std::to_string(born.process.pid().value())};
    brought.fds.push_back(TRY(sys::duplicate(born.process.pidfd())));
    TRY(ready(brought));
    const Fd pidfd = born.process.detach();
    const FdRef keep = pidfd;
    TRY(sys::close_all_but(0, std::span(&keep, 1)));
    return TRY(sys::reap(pidfd)).code();
  }));
  auto inner = std::make_unique<Process::Inner>();
  inner->pid = HostPid(static_cast<std::int32_t>(number(started.brought.text).value_or(0)));
  inner->pidfd = std::move(started.brought.fds.at(0));
  inner->waiter = std::move(started.process);
  return Process(std::move(inner));
}

Process::Process(std::unique_ptr<Inner> inner) : inner_(std::move(inner)) {}
Process::Process(Process&&) noexcept = default;

Process& Process::operator=(Process&& other) noexcept {
  std::swap(inner_, other.inner_);
  return *this;
}

Process::~Process() {
  if (!inner_ || inner_->code) return;
  (void)kill(SIGKILL);
  (void)wait();
}

pid_t Process::pid() const {
  const Result<bool> ended = sys::wait_end(inner_->pidfd, std::chrono::milliseconds(0));
  return ended && *ended ? 0 : inner_->pid.value();
}

Result<int> Process::wait() {
  if (!inner_->code) inner_->code = TRY(code_of(inner_->waiter));
  return *inner_->code;
}

Result<void> Process::kill(int signal) { return sys::pidfd_signal(inner_->pidfd, signal); }

}  // namespace umbel
