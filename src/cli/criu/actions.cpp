// criu(8): the script is called with CRTOOLS_SCRIPT_ACTION, CRTOOLS_IMAGE_DIR and, once there is
// one, CRTOOLS_INIT_PID. The last stage comes when nothing can be undone: there its exit code does
// not count.
#include "cli/criu/actions.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "sys/file.h"
#include "sys/process.h"

namespace umbel::cli::criu {

namespace {

using checkpoint::Stage;

struct Name {
  Stage stage;
  const char* name;
};
constexpr std::array names = std::to_array<Name>({{Stage::pre_dump, "pre-dump"},
                                                  {Stage::post_dump, "post-dump"},
                                                  {Stage::pre_restore, "pre-restore"},
                                                  {Stage::post_restore, "post-restore"},
                                                  {Stage::pre_resume, "pre-resume"},
                                                  {Stage::post_resume, "post-resume"}});

std::string name_of(Stage stage) {
  for (const Name& known : names)
    if (known.stage == stage) return known.name;
  return "";
}

std::vector<std::string> environment(const std::vector<std::string>& more) {
  std::vector<std::string> all = more;
  for (char** variable = ::environ; *variable != nullptr; ++variable) all.emplace_back(*variable);
  return all;
}

Result<void> run_script(const Options& options, Stage stage, HostPid root) {
  const std::string action = name_of(stage);
  std::vector<std::string> more{"CRTOOLS_SCRIPT_ACTION=" + action,
                                "CRTOOLS_IMAGE_DIR=" + options.images_directory};
  if (root.value() != 0) more.push_back("CRTOOLS_INIT_PID=" + std::to_string(root.value()));
  const std::vector<std::string> variables = environment(more);
  const std::vector<std::string> words{"sh", "-c", options.action_script};
  sys::Process script = TRY(sys::start({}, [&]() -> int {
    (void)sys::execute("/bin/sh", words, variables);
    return 127;
  }));
  const sys::Exit ended = TRY(script.wait());
  if (ended.code() == 0 || stage == Stage::post_resume) return {};
  return fail("the action script ended with " + std::to_string(ended.code()) + " at " + action,
              "it is " + options.action_script);
}

// What --status-fd promises to whoever started this.
Result<void> tell_ready(const Options& options, Stage stage) {
  if (options.status_descriptor < 0) return {};
  if (stage != Stage::post_dump && stage != Stage::post_resume) return {};
  return during("--status-fd",
                sys::write_all(FdRef(options.status_descriptor), std::string_view("\0", 1)));
}

}  // namespace

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

Result<void> write_pid_file(const Options& options, HostPid pid) {
  if (options.pid_file.empty()) return {};
  const auto written = [&]() -> Result<void> {
    const Fd dir = TRY(sys::open(cwd, directory_of(options.pid_file), O_PATH | O_DIRECTORY));
    const std::string name = options.pid_file.substr(options.pid_file.rfind('/') + 1);
    return sys::replace_file(dir, name, std::to_string(pid.value()));
  };
  return during("--pidfile " + options.pid_file, written());
}

std::function<Result<void>(Stage, HostPid)> actions(const Options& options, const Notify& notify) {
  return [&options, notify](Stage stage, HostPid root) -> Result<void> {
    if (!options.action_script.empty()) TRY(run_script(options, stage, root));
    if (notify) TRY(notify(name_of(stage), root));
    // While a failure can still undo everything.
    if (stage == Stage::pre_resume) TRY(write_pid_file(options, root));
    return tell_ready(options, stage);
  };
}

}  // namespace umbel::cli::criu
