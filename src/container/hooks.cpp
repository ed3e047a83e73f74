// A hook gets its state from a file in memory and writes into another, so that neither side can be
// kept waiting by a full pipe, and a process that it leaves behind holds up nobody.
#include "container/hooks.h"

#include <unistd.h>

#include <chrono>

#include "base/record.h"
#include "base/text.h"
#include "container/config.h"
#include "sys/file.h"
#include "sys/process.h"

namespace umbel::container {

namespace {

constexpr std::size_t most_output = 4096;

// With a description of its own, at the beginning.
Result<Fd> filled(const std::string& text) {
  const Fd memory = TRY(sys::memory_file("state"));
  TRY(sys::write_all(memory, text));
  return sys::reopen(memory, O_RDONLY);
}

[[noreturn]] void become(const Hook& hook, FdRef in, FdRef out) {
  (void)sys::install(in, 0);
  (void)sys::install(out, 1);
  (void)sys::install(out, 2);
  (void)sys::close_from_on_exec(3);
  sys::reset_signals();
  const std::vector<std::string> args =
      hook.args.empty() ? std::vector<std::string>{hook.path} : hook.args;
  const Error error = sys::execute(hook.path, args, hook.env);
  (void)sys::write_all(standard_error, error.message());
  _exit(127);
}

Result<void> wait_for(sys::Process& process, const Hook& hook) {
  if (hook.timeout && *hook.timeout > 0 &&
      !TRY(sys::wait_end(process.pidfd(), std::chrono::seconds(*hook.timeout)))) {
    (void)process.kill(SIGKILL);
    (void)process.wait();
    return fail("did not end within " + std::to_string(*hook.timeout) + " seconds");
  }
  const sys::Exit exit = TRY(process.wait());
  if (exit.code() == 0) return {};
  return fail(exit.signal != 0 ? "was killed by signal " + std::to_string(exit.signal)
                               : "exit status " + std::to_string(exit.status));
}

Result<void> run_hook(const Hook& hook, const std::string& state) {
  const Fd in = TRY(filled(state));
  const Fd out = TRY(sys::memory_file("output"));
  sys::Process process = TRY(sys::start({}, [&]() -> int { become(hook, in, out); }));
  const Result<void> ended = wait_for(process, hook);
  if (ended) return {};
  std::string said;
  if (const Result<Fd> reader = sys::reopen(out, O_RDONLY))
    said = sys::read_all(*reader, most_output).value_or("");
  const std::string_view text = trimmed(said);
  return fail(hook.path + ": " + ended.error().message() + (text.empty() ? "" : ": ") +
              std::string(text));
}

}  // namespace

Value state_of(const Config& config, std::string_view status, HostPid pid) {
  Value state;
  state["ociVersion"] = specification;
  state["id"] = config.name;
  state["status"] = status;
  if (pid) state["pid"] = pid.value();
  state["bundle"] = config.bundle;
  if (!config.labels.empty()) state["annotations"] = to_value(config.labels);
  return state;
}

Result<void> run_hooks(const std::vector<Hook>& hooks, std::string_view step, const Config& config,
                       std::string_view status, HostPid pid) {
  if (hooks.empty()) return {};
  const std::string state = json_text(state_of(config, status, pid));
  for (const Hook& hook : hooks)
    TRY(during("the " + std::string(step) + " hook", run_hook(hook, state)));
  return {};
}

std::vector<std::string> run_all_hooks(const std::vector<Hook>& hooks, std::string_view step,
                                       const Config& config, std::string_view status, HostPid pid) {
  std::vector<std::string> wrong;
  for (const Hook& hook : hooks) {
    const Result<void> ran = run_hooks({hook}, step, config, status, pid);
    if (!ran) wrong.push_back(ran.error().message());
  }
  return wrong;
}

}  // namespace umbel::container
