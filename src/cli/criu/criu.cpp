// The face that is called as criu is. Exit codes are criu's: 0, or 1 with the reason as the last
// lines of the log.
#include <fcntl.h>

#include <array>

#include "checkpoint/dump.h"
#include "checkpoint/restore.h"
#include "cli/criu/options.h"
#include "cli/faces.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/process.h"

namespace umbel::cli {

namespace criu {

namespace {

using checkpoint::image::Reader;
using checkpoint::image::Writer;

Result<Fd> images(const Options& options) {
  return during("the images directory",
                sys::open(cwd, options.images_directory, O_RDONLY | O_DIRECTORY));
}

// The log lies in the work directory, as criu's does; without --log-file it is standard error.
Result<void> log(const Options& options, const std::string& line) {
  if (options.log_file.empty()) return sys::write_all(standard_error, line);
  const std::string& dir =
      options.work_directory.empty() ? options.images_directory : options.work_directory;
  const Fd at = TRY(sys::open(cwd, dir, O_RDONLY | O_DIRECTORY));
  const Fd file = TRY(sys::open(at, options.log_file, O_WRONLY | O_CREAT | O_APPEND, 0600));
  return sys::write_all(file, line);
}

int failed(const Options& options, const Error& error) {
  std::string text = "Error: " + error.message() + "\n";
  if (!error.cure.empty()) text += "       " + error.cure + "\n";
  if (!log(options, text)) (void)sys::write_all(standard_error, text);
  return 1;
}

Result<int> dump(const Options& options) {
  using After = checkpoint::DumpOptions::After;
  if (options.tree == 0) return fail("which process? say --tree PID");
  Fd dir = TRY(images(options));
  const std::unique_ptr<Writer> writer = TRY(Writer::directory(std::move(dir), {}));
  const checkpoint::DumpOptions how{.root = HostPid(options.tree),
                                    .after = options.leave_running   ? After::run
                                             : options.leave_stopped ? After::stop
                                                                     : After::kill,
                                    .freeze_timeout = std::chrono::seconds(options.timeout),
                                    .ghost_limit = options.ghost_limit,
                                    .shell_job = options.shell_job,
                                    .file_locks = options.file_locks,
                                    .link_remap = options.link_remap,
                                    .tcp_established = options.tcp_established,
                                    .external_unix_sockets = options.external_unix_sockets};
  const checkpoint::DumpStatistics done = TRY(checkpoint::dump(how, *writer));
  (void)log(options, "Dumped " + std::to_string(done.processes) + " processes, " +
                         std::to_string(done.threads) + " threads, " +
                         std::to_string(done.pages_written) + " pages; frozen " +
                         std::to_string(done.frozen.count()) + " us\n");
  return 0;
}

Result<int> restore(const Options& options) {
  Fd dir = TRY(images(options));
  const Reader reader = TRY(Reader::directory(std::move(dir)));
  const checkpoint::RestoreOptions how{.sibling = options.restore_sibling,
                                       .leave_stopped = options.leave_stopped,
                                       .shell_job = options.shell_job};
  checkpoint::Restored restored = TRY(checkpoint::restore(how, reader));
  (void)log(options, "Restored " + std::to_string(restored.statistics.processes) +
                         " processes in " + std::to_string(restored.statistics.total.count()) +
                         " us\n");
  if (!options.pid_file.empty())
    TRY(sys::replace_file(cwd, options.pid_file, std::to_string(restored.root.value())));
  if (options.restore_detached || options.restore_sibling) return 0;
  const sys::Exit ended = TRY(sys::reap(restored.pidfd));
  return ended.code();
}

struct Command {
  std::string_view name;
  Result<int> (*run)(const Options&);
};
constexpr std::array commands = std::to_array<Command>({{"dump", dump}, {"restore", restore}});

}  // namespace

}  // namespace criu

int criu_main(Words args) {
  const Result<criu::Options> options = criu::parse_options(args.subspan(1));
  if (!options) return criu::failed({}, options.error());
  for (const criu::Command& command : criu::commands) {
    if (command.name != options->command) continue;
    const Result<int> code = command.run(*options);
    return code ? *code : criu::failed(*options, code.error());
  }
  return criu::failed(
      *options,
      Error{.detail = options->command.empty() ? "say what to do: dump or restore"
                                               : "'" + options->command + "' is not there yet"});
}

}  // namespace umbel::cli
