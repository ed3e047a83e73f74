// A look at the memory while the program runs on: frozen only as long as it takes to find its pages
// and to have writes to them noticed from then on. What is written while the pages are copied is
// written since, and comes with the next dump.
#include <algorithm>
#include <mutex>

#include "checkpoint/dump.h"
#include "checkpoint/freeze/tree.h"
#include "checkpoint/memory/chain.h"
#include "checkpoint/memory/copy.h"
#include "checkpoint/memory/mappings.h"
#include "checkpoint/memory/pages.h"

namespace umbel::checkpoint {

namespace {

using Clock = std::chrono::steady_clock;

std::chrono::microseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
}

struct Look {
  Watched watched;
  OwnPages own;
  Earlier earlier;
};

Result<Look> look_at(const Process& process, const Chain& chain) {
  const auto mappings = TRY(process.facts.mappings(inspect::Process::Detail::smaps));
  image::Memory memory;
  for (const proc::Mapping& mapping : mappings)
    if (mapping.path != "[vsyscall]") memory.mappings.push_back(outline(mapping));
  Look look{.watched = {.process = &process}, .earlier = earlier_of(chain, process, mappings)};
  look.own = TRY(find_own_pages(process, memory, look.earlier.watched));
  if (look.earlier)
    look.watched.watcher = TRY(chain.watcher(*look.earlier.tracked));
  else
    look.watched.watcher = TRY(make_watcher(process, mappings));
  TRY(watch(process, mappings, look.watched.watcher));
  return look;
}

Result<std::vector<Look>> look_at_all(Tree& frozen, const Chain& chain) {
  std::mutex mutex;
  std::vector<Look> looks;
  TRY(frozen.each([&](Process& process) -> Result<void> {
    if (process.zombie()) return {};
    Look look = TRY(during("looking at " + process.named(), look_at(process, chain)));
    const std::lock_guard lock(mutex);
    looks.push_back(std::move(look));
    return {};
  }));
  return looks;
}

}  // namespace

Result<DumpStatistics> pre_dump(const DumpOptions& options, image::Writer& writer) {
  DumpStatistics statistics;
  if (options.at) TRY(options.at(Stage::pre_dump));
  Chain chain;
  if (options.parent != nullptr) chain = TRY(Chain::on(*options.parent));
  statistics.chain_broken = options.parent != nullptr && !chain.exists();
  const std::vector<HostPid> before = TRY(tree_of(options.root));

  Crew crew(crew_size(before.size()));
  const Clock::time_point start = Clock::now();
  Tree frozen = TRY(Tree::freeze({.root = options.root, .at_most = options.freeze_timeout}, crew));
  statistics.freezing = since(start);
  std::vector<Look> looks = TRY(look_at_all(frozen, chain));
  TRY(frozen.let_run());
  statistics.frozen = since(start);

  const Clock::time_point copying = Clock::now();
  std::vector<Watched> watched;
  for (Look& look : looks) {
    const Copied copied = TRY(
        copy_running(writer, *look.watched.process, look.own, look.earlier, look.watched.pages));
    statistics.pages_scanned += copied.scanned;
    statistics.pages_written += copied.written;
    statistics.pages_in_parent += copied.in_parent;
    watched.push_back(std::move(look.watched));
  }
  statistics.copying = since(copying);
  statistics.processes = looks.size();
  Keeper keeper = TRY(Keeper::start(watched));
  TRY(writer.add("tracking", to_value(keeper.tracking())));
  TRY(writer.finish());
  keeper.let_go();
  TRY(chain.end());
  if (options.at) TRY(options.at(Stage::post_dump));
  return statistics;
}

}  // namespace umbel::checkpoint
