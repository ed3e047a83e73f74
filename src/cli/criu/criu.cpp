// The face that is called as criu is. Exit codes are criu's: 0, or 1 with the reason as the last
// lines of the log.
#include <array>

#include "cli/criu/check.h"
#include "cli/criu/configuration.h"
#include "cli/criu/cpu.h"
#include "cli/criu/options.h"
#include "cli/criu/protocol.h"
#include "cli/criu/service.h"
#include "cli/criu/work.h"
#include "cli/faces.h"
#include "sys/file.h"
#include "sys/process.h"

namespace umbel::cli {

namespace criu {

namespace {

template <Result<void> (*work)(const Options&, const Notify&)>
Result<int> save(const Options& options) {
  TRY(work(options, {}));
  return 0;
}

Result<int> restore_and_wait(const Options& options) {
  const checkpoint::Restored restored = TRY(restore(options, {}));
  if (!options.execute.empty()) return execute(options);
  if (options.restore_detached || options.restore_sibling) return 0;
  const sys::Exit ended = TRY(sys::reap(restored.pidfd));
  return ended.code();
}

Result<int> version(const Options&) {
  // Callers look for criu's first line.
  TRY(sys::write_all(standard_out, "Version: " + std::string(compatible_version) +
                                       "\nUmbel: " UMBEL_VERSION "\n"));
  return 0;
}

Result<int> help(const Options&) {
  TRY(sys::write_all(
      standard_out,
      "usage: umbel-criu dump|pre-dump --tree PID [OPTION]...\n"
      "       umbel-criu restore|check|cpuinfo dump|cpuinfo check [OPTION]...\n"
      "       umbel-criu service [--address PATH] [OPTION]...\n"
      "       umbel-criu swrk DESCRIPTOR\n\n"
      "Stops a tree of processes and saves it; starts it again. Called as criu is, and\n"
      "with its options; an option of criu's that is not here is refused.\n\n" +
          options_help()));
  return 0;
}

struct Command {
  std::string_view name;
  Result<int> (*run)(const Options&);
  std::size_t words = 0;  // that follow
};
constexpr std::array commands = std::to_array<Command>({{"dump", save<dump>},
                                                        {"pre-dump", save<pre_dump>},
                                                        {"restore", restore_and_wait},
                                                        {"check", check},
                                                        {"cpuinfo", cpuinfo, 1},
                                                        {"service", service},
                                                        {"swrk", service_worker, 1},
                                                        {"version", version},
                                                        {"help", help}});

Result<int> run(const Options& options) {
  for (const Command& command : commands) {
    if (command.name != options.command) continue;
    if (options.words.size() > command.words)
      return fail("'" + options.words[command.words] + "' is one word too many");
    if (options.words.size() < command.words)
      return fail("a word is missing after " + options.command, "see umbel-criu --help");
    return command.run(options);
  }
  return fail(options.command.empty() ? "say what to do: dump, pre-dump, restore or check"
                                      : "'" + options.command + "' is not there yet");
}

}  // namespace

}  // namespace criu

int criu_main(Words args) {
  Result<criu::Options> options = criu::read_options(args.subspan(1));
  if (!options) {
    criu::log_failure({}, options.error());
    return 1;
  }
  if (options->version) options->command = "version";
  if (options->help) options->command = "help";
  const Result<int> code = criu::run(*options);
  if (code) return *code;
  criu::log_failure(*options, code.error());
  return 1;
}

}  // namespace umbel::cli
