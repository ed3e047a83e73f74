// The dump is made by a child that enters the container's namespaces, so that every path leads
// where it leads inside. The record that the container was checkpointed is written when the image
// is complete and before its processes end: the monitor, which sees them end, must find it.
#include "carry/save.h"

#include <fcntl.h>

#include "base/record.h"
#include "carry/files.h"
#include "carry/lost.h"
#include "carry/records.h"
#include "checkpoint/cradle.h"
#include "container/lifecycle.h"
#include "ns/aside.h"
#include "sys/file.h"
#include "sys/procfs.h"

namespace umbel::carry {

namespace {

using checkpoint::DumpOptions;
using checkpoint::DumpStatistics;
using container::Container;

// Statistics on their way from the child.
struct Account {
  std::int64_t freezing = 0, frozen = 0, copying = 0, writing = 0;
  std::uint64_t pages_scanned = 0, pages_written = 0, pages_in_parent = 0;
  std::uint64_t processes = 0, threads = 0;
  bool chain_broken = false;
};
void fields(auto& archive, Account& a) {
  archive("freezing", a.freezing);
  archive("frozen", a.frozen);
  archive("copying", a.copying);
  archive("writing", a.writing);
  archive("scanned", a.pages_scanned);
  archive("written", a.pages_written);
  archive("inParent", a.pages_in_parent);
  archive("processes", a.processes);
  archive("threads", a.threads);
  archive("chainBroken", a.chain_broken);
}

Account account_of(const DumpStatistics& done) {
  return {.freezing = done.freezing.count(),
          .frozen = done.frozen.count(),
          .copying = done.copying.count(),
          .writing = done.writing.count(),
          .pages_scanned = done.pages_scanned,
          .pages_written = done.pages_written,
          .pages_in_parent = done.pages_in_parent,
          .processes = done.processes,
          .threads = done.threads,
          .chain_broken = done.chain_broken};
}

DumpStatistics statistics_of(const Account& account) {
  using std::chrono::microseconds;
  return {.freezing = microseconds(account.freezing),
          .frozen = microseconds(account.frozen),
          .copying = microseconds(account.copying),
          .writing = microseconds(account.writing),
          .pages_scanned = account.pages_scanned,
          .pages_written = account.pages_written,
          .pages_in_parent = account.pages_in_parent,
          .processes = account.processes,
          .threads = account.threads,
          .chain_broken = account.chain_broken};
}

// What can be told before anything is stopped.
Result<void> check(const Container& container) {
  TRY(container.init());
  if (container.status() == container::Status::paused)
    return fail(container.name() + " is paused",
                "let it go on first: umbel resume " + container.name());
  const container::Config& config = container.config;
  if (!is_fresh(config, ns::Kind::pid))
    return fail_with(EOPNOTSUPP,
                     container.name() +
                         " has no pid namespace of its own: pids that are taken "
                         "elsewhere can't be given back to it",
                     "run it with --pid new");
  if (config.namespaces[ns::Kind::user].from != ns::From::host)
    return fail_with(EOPNOTSUPP,
                     container.name() + " has a user namespace, whose users can't be carried yet",
                     "run it with --userns host");
  if (!container.state.logged && container.state.descriptors.empty() && !config.process.terminal)
    return fail_with(EOPNOTSUPP,
                     container.name() + " has the descriptors of whoever ran it as its own",
                     "run it in the background: umbel run -d");
  return {};
}

// Under the freeze, in the container's namespaces.
Result<void> capture(const Container& container, Saved& saved) {
  saved.config = container.config;
  if (is_fresh(saved.config, ns::Kind::uts))
    TRY(ns::info(ns::Kind::uts).capture(saved.config.settings));
  if (is_fresh(saved.config, ns::Kind::time))
    saved.clocks = TRY(capture_clocks(container.state.init.pid));
  return {};
}

Result<Streams> streams_of(const Container& container) {
  const std::vector<std::string>& given = container.state.descriptors;
  if (given.size() == 3) return Streams{.in = given[0], .out = given[1], .err = given[2]};
  if (!container.state.logged) return Streams();  // a terminal's master alone
  const container::Pipes pipes = TRY(container::pipes(container));
  return Streams{.in = pipes.in, .out = pipes.out, .err = pipes.err};
}

Result<Saved> begin(const Container& container, DumpOptions& how) {
  Saved saved;
  saved.streams = TRY(streams_of(container));
  for (const std::string& link : {saved.streams.in, saved.streams.out, saved.streams.err})
    if (!link.empty()) how.external.insert(link);
  // The masters of its terminal are with its monitor, or whoever made it.
  how.orphan_terminals = container.config.process.terminal;
  how.root = container.state.init.pid;
  how.root_is_reaper = container.config.init;
  return saved;
}

Result<DumpStatistics> dump_inside(Container& container, const SaveOptions& options,
                                   checkpoint::image::Writer& to) {
  DumpOptions how = options.engine;
  Saved saved = TRY(begin(container, how));
  const Fd host = TRY(sys::open(cwd, "/proc/self/ns/mnt", O_RDONLY));
  how.more = [&](checkpoint::image::Writer& writer) -> Result<void> {
    if (options.engine.more) TRY(options.engine.more(writer));
    TRY(capture(container, saved));
    TRY(check_lost(saved.config, how.root));
    if (is_fresh(saved.config, ns::Kind::mnt)) {
      const Fd own = TRY(sys::open(cwd, sys::proc_path("self/ns/mnt"), O_RDONLY));
      const auto files = TRY(capture_files(host, own, saved.config.files));
      TRY(writer.add(files_member, to_value(files)));
    }
    return writer.add(member, to_value(saved));
  };
  how.at = [&](checkpoint::Stage stage) -> Result<void> {
    if (options.engine.at) TRY(options.engine.at(stage));
    if (stage != checkpoint::Stage::post_dump || how.after != DumpOptions::After::kill) return {};
    container.state.checkpoint = options.place;
    return container.save_state();
  };
  TRY(checkpoint::enter_namespaces(how.root));
  return checkpoint::dump(how, to);
}

}  // namespace

Result<DumpStatistics> save(Container& container, const SaveOptions& options,
                            checkpoint::image::Writer& to) {
  TRY(check(container));
  const Result<ns::Brought> done = ns::aside([&]() -> Result<ns::Brought> {
    const DumpStatistics made = TRY(dump_inside(container, options, to));
    return ns::Brought{.text = json_text(to_value(account_of(made)))};
  });
  if (!done) {
    // It may have been written before the last step failed.
    container.state.checkpoint.clear();
    (void)container.save_state();
    return Failure(done.error());
  }
  const Value value = TRY(parse_json(done->text));
  return statistics_of(TRY(from_value<Account>(value)));
}

}  // namespace umbel::carry
