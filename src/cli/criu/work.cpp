// Options to the engine's, images and logs where the options have them.
#include "cli/criu/work.h"

#include <fcntl.h>
#include <unistd.h>

#include <optional>

#include "checkpoint/dump.h"
#include "cli/criu/stats.h"
#include "sys/file.h"
#include "sys/process.h"

namespace umbel::cli::criu {

namespace {

using checkpoint::image::Reader;
using checkpoint::image::Writer;

Result<Fd> images(const Options& options) {
  return during("the images directory",
                sys::open(cwd, options.images_directory, O_RDONLY | O_DIRECTORY));
}

// Where log and statistics lie.
Result<Fd> work(const Options& options) {
  const std::string& dir =
      options.work_directory.empty() ? options.images_directory : options.work_directory;
  return during("the work directory", sys::open(cwd, dir, O_RDONLY | O_DIRECTORY));
}

// What is done is done: without its statistics it is no failure.
template <class Statistics>
void keep_statistics(const Options& options, const Statistics& done) {
  if (!options.image_file.empty() && options.work_directory.empty()) return;
  const Result<Fd> dir = work(options);
  const Result<void> written = dir ? write_statistics(*dir, done) : Failure(dir.error());
  if (!written) (void)log(options, "Warning: " + written.error().message() + "\n");
}

Result<std::optional<Reader>> previous(const Options& options) {
  if (options.previous_directory.empty()) return std::nullopt;
  const Fd dir = TRY(images(options));
  Fd earlier = TRY(during("--prev-images-dir",
                          sys::open(dir, options.previous_directory, O_RDONLY | O_DIRECTORY)));
  Reader reader = TRY(Reader::directory(std::move(earlier)));
  if (!reader.has("tracking"))
    return fail("the image in " + options.previous_directory + " was taken without --track-mem");
  return reader;
}

Result<std::unique_ptr<Writer>> writer(const Options& options,
                                       const std::optional<Reader>& parent) {
  Writer::Form form{.compression = options.compression};
  if (parent)
    form.parent = checkpoint::image::Parent{.path = options.previous_directory,
                                            .checksum = parent->manifest_checksum()};
  if (options.image_file.empty()) {
    Fd dir = TRY(images(options));
    return Writer::directory(std::move(dir), std::move(form));
  }
  constexpr int whole = O_WRONLY | O_CREAT | O_TRUNC;
  Fd file = options.image_file == "-" ? TRY(sys::duplicate(standard_out))
                                      : TRY(sys::open(cwd, options.image_file, whole, 0600));
  return Writer::file(std::move(file), std::move(form));
}

checkpoint::DumpOptions dump_options(const Options& options, const Notify& notify,
                                     const std::optional<Reader>& parent) {
  using After = checkpoint::DumpOptions::After;
  checkpoint::DumpOptions how{.root = HostPid(options.tree),
                              .after = options.leave_running   ? After::run
                                       : options.leave_stopped ? After::stop
                                                               : After::kill,
                              .freeze_timeout = std::chrono::seconds(options.timeout),
                              .ghost_limit = options.ghost_limit,
                              .shell_job = options.shell_job,
                              .orphan_terminals = options.orphan_terminals,
                              .file_locks = options.file_locks,
                              .link_remap = options.link_remap,
                              .tcp_established = options.tcp_established,
                              .tcp_close = options.tcp_close,
                              .external_unix_sockets = options.external_unix_sockets,
                              .parent = parent ? &*parent : nullptr,
                              .track = options.track_memory,
                              .external = options.external};
  how.at = [act = actions(options, notify)](checkpoint::Stage stage) {
    return act(stage, HostPid());
  };
  return how;
}

using Engine = Result<checkpoint::DumpStatistics>(const checkpoint::DumpOptions&, Writer&);

Result<void> save(const Options& options, const Notify& notify, Engine* engine) {
  if (options.tree == 0) return fail("which process? say --tree PID");
  const std::optional<Reader> parent = TRY(previous(options));
  const std::unique_ptr<Writer> image = TRY(writer(options, parent));
  const checkpoint::DumpStatistics done =
      TRY(engine(dump_options(options, notify, parent), *image));
  if (done.chain_broken)
    (void)log(options, "Warning: nothing is known of what was written since the image in " +
                           options.previous_directory + ": all memory was copied\n");
  (void)log(options, "Dumped " + std::to_string(done.processes) + " processes, " +
                         std::to_string(done.threads) + " threads, " +
                         std::to_string(done.pages_written) + " pages; frozen " +
                         std::to_string(done.frozen.count()) + " us\n");
  keep_statistics(options, done);
  return {};
}

Result<Reader> reader(const Options& options) {
  if (options.image_file == "-") {
    Fd in = TRY(sys::duplicate(standard_in));
    return Reader::file(std::move(in));
  }
  if (!options.image_file.empty()) return Reader::open(options.image_file);
  Fd dir = TRY(images(options));
  return Reader::directory(std::move(dir));
}

}  // namespace

std::string whole(const Error& error) {
  return error.message() + (error.cure.empty() ? "" : " (" + error.cure + ")");
}

// The log lies in the work directory, as criu's does; without --log-file it is standard error.
Result<void> log(const Options& options, const std::string& line) {
  if (options.log_file.empty()) return sys::write_all(standard_error, line);
  const Fd at = TRY(work(options));
  const Fd file = TRY(sys::open(at, options.log_file, O_WRONLY | O_CREAT | O_APPEND, 0600));
  return sys::write_all(file, line);
}

void log_failure(const Options& options, const Error& error) {
  std::string text = "Error: " + error.message() + "\n";
  if (!error.cure.empty()) text += "       " + error.cure + "\n";
  if (!log(options, text)) (void)sys::write_all(standard_error, text);
}

Result<void> dump(const Options& options, const Notify& notify) {
  return save(options, notify, checkpoint::dump);
}
Result<void> pre_dump(const Options& options, const Notify& notify) {
  return save(options, notify, checkpoint::pre_dump);
}

Result<checkpoint::Restored> restore(const Options& options, const Notify& notify,
                                     const std::function<Result<void>(FdRef)>& new_master) {
  const Reader image = TRY(reader(options));
  const checkpoint::RestoreOptions how{.sibling = options.restore_sibling,
                                       .leave_stopped = options.leave_stopped,
                                       .shell_job = options.shell_job,
                                       .inherited = options.inherited,
                                       .new_master = new_master,
                                       .at = actions(options, notify)};
  checkpoint::Restored restored = TRY(checkpoint::restore(how, image));
  (void)log(options, "Restored " + std::to_string(restored.statistics.processes) +
                         " processes in " + std::to_string(restored.statistics.total.count()) +
                         " us\n");
  keep_statistics(options, restored.statistics);
  return restored;
}

Failure execute(const Options& options) {
  std::vector<std::string> environment;
  for (char** variable = ::environ; *variable != nullptr; ++variable)
    environment.emplace_back(*variable);
  return Failure(sys::execute(options.execute.front(), options.execute, environment));
}

}  // namespace umbel::cli::criu
