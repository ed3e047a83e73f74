// A process that still runs may fork, so after everything known was stopped the tree is looked
// through again; when a look finds nobody new, nobody is left who could make somebody. Processes
// that ended and were not waited for belong to the tree too.
#include "checkpoint/freeze/tree.h"

#include <signal.h>

#include <algorithm>
#include <ranges>
#include <utility>

#include "checkpoint/freeze/seize.h"
#include "sys/file.h"
#include "sys/process.h"

namespace umbel::checkpoint {

Result<std::vector<HostPid>> tree_of(HostPid root) {
  std::vector<HostPid> found{root};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Result<inspect::Process> process = inspect::Process::open(found[i]);
    if (!process && (i == 0 || !gone(process.error()))) return Failure(process.error());
    if (!process) continue;
    Result<std::vector<HostPid>> children = process->children();
    if (!children && !gone(children.error())) return Failure(children.error());
    if (children) found.insert(found.end(), children->begin(), children->end());
  }
  return found;
}

Result<Fd> descriptors_of(const Process& process) {
  return process.leader_ended ? sys::pidfd_open_thread(process.alive())
                              : sys::pidfd_open(process.pid());
}

Tree::Tree(Tree&& other) noexcept
    : crew_(other.crew_), processes_(std::exchange(other.processes_, {})) {}

Tree::~Tree() {
  if (!processes_.empty()) (void)release();
}

Result<void> Tree::each(const std::function<Result<void>(Process&)>& work) {
  return crew_->each([&](unsigned member) -> Result<void> {
    for (const auto& process : processes_)
      if (process->member == member) TRY(work(*process));
    return {};
  });
}

Result<bool> Tree::add_new(const Options& options) {
  const std::size_t before = processes_.size();
  for (const HostPid pid : TRY(tree_of(options.root))) {
    if (std::ranges::any_of(processes_, [&](const auto& known) { return known->pid() == pid; }))
      continue;
    Result<inspect::Process> facts = inspect::Process::open(pid);
    if (!facts && gone(facts.error()) && pid != options.root) continue;
    if (!facts) return Failure(facts.error());
    processes_.push_back(std::make_unique<Process>(std::move(*facts)));
    processes_.back()->member = static_cast<unsigned>((processes_.size() - 1) % crew_->size());
  }
  if (processes_.size() == before) return false;

  const auto until = std::chrono::steady_clock::now() + options.at_most;
  std::vector<char> ended(processes_.size());
  TRY(crew_->each([&](unsigned member) -> Result<void> {
    for (std::size_t i = before; i < processes_.size(); ++i) {
      Process& process = *processes_[i];
      if (process.member != member) continue;
      Result<void> seized = seize(process, until);
      if (!seized && gone(seized.error()) && i != 0)
        ended[i] = 1;
      else if (!seized)
        return seized;
      process.parent = HostPid(process.stat.parent);
    }
    return {};
  }));
  for (std::size_t i = processes_.size(); i-- > before;)
    if (ended[i] != 0) processes_.erase(processes_.begin() + static_cast<std::ptrdiff_t>(i));
  return true;
}

Result<Tree> Tree::freeze(const Options& options, Crew& crew) {
  Tree tree(crew);
  while (TRY(tree.add_new(options))) {
  }
  if (tree.root().zombie())
    return fail_with(ESRCH, tree.root().named() + " has ended and waits for its parent",
                     "there is nothing left of it to checkpoint");
  for (const auto& process : tree.processes_)
    if (!process->zombie()) process->memory = TRY(sys::open(process->facts.dir(), "mem", O_RDWR));
  return tree;
}

Result<void> Tree::let_go(int signal) {
  Result<void> outcome = each([&](Process& process) { return detach(process, signal); });
  processes_.clear();
  return outcome;
}

Result<void> Tree::let_run() {
  return each([](Process& process) { return detach(process, 0); });
}
Result<void> Tree::release() { return let_go(0); }
Result<void> Tree::release_stopped() { return let_go(SIGSTOP); }

Result<void> Tree::kill() {
  // Children first: pid 1 of a pid namespace ends when everybody else there has been waited for.
  TRY(crew_->each([&](unsigned member) -> Result<void> {
    for (const auto& process : std::views::reverse(processes_))
      if (process->member == member && !process->zombie()) TRY(checkpoint::kill(*process));
    return {};
  }));
  processes_.clear();
  return {};
}

}  // namespace umbel::checkpoint
