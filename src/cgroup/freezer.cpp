// v1: writing FROZEN to freezer.state freezes what is there now; a task that the kernel could not
// stop at that moment (in vfork, say, or just forked) leaves the state at FREEZING, and reading the
// state is what makes the kernel look again (freezer_read). Some tasks only stop when they are let
// run for a moment and asked again. cgroup2: cgroup.freeze, and cgroup.events tells, with POLLPRI,
// when all have stopped; tasks frozen so can still be killed and traced, which those of v1 can't.
#include <fcntl.h>

#include <algorithm>

#include "base/text.h"
#include "cgroup/cgroup.h"
#include "cgroup/lifetime.h"
#include "sys/file.h"
#include "sys/wait.h"

namespace umbel::cgroup {

namespace {

using Clock = std::chrono::steady_clock;

bool frozen_in(std::string_view events) {
  return std::ranges::count(split(events, '\n'), std::string_view("frozen 1")) != 0;
}

Result<bool> wait_v1(const Directory& freezer, Clock::time_point deadline) {
  auto pause = std::chrono::microseconds(20);
  for (int round = 1;; ++round) {
    const bool stopped = TRY(is_frozen(freezer));
    if (stopped) return true;
    if (Clock::now() >= deadline) return false;
    if (round % 50 == 0) {
      TRY(set_frozen(freezer, Frozen::no));
      sys::sleep_for(std::chrono::milliseconds(1));
    }
    TRY(set_frozen(freezer, Frozen::yes));
    sys::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::microseconds(10000));
  }
}

Result<bool> wait_v2(const Directory& directory, Clock::time_point deadline) {
  const FdRef here = TRY(directory.fd());
  for (;;) {
    // poll reports changes since the last read of the same open file.
    const Fd events = TRY(during(directory.path(), sys::open(here, "cgroup.events", O_RDONLY)));
    const std::string text = TRY(during(directory.path(), sys::read_all(events)));
    if (frozen_in(text)) return true;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    TRY(sys::wait_change(events, left));
  }
}

}  // namespace

bool freezes(const Directory& directory) {
  return directory.unified() || directory.controls("freezer");
}

Result<void> set_frozen(const Directory& directory, Frozen wanted) {
  const bool yes = wanted == Frozen::yes;
  if (directory.unified()) return directory.write("cgroup.freeze", yes ? "1" : "0");
  if (directory.controls("freezer"))
    return directory.write("freezer.state", yes ? "FROZEN" : "THAWED");
  return {};
}

Result<bool> is_frozen(const Directory& directory) {
  if (!freezes(directory)) return false;
  const bool unified = directory.unified();
  const std::string text = TRY(directory.read(unified ? "cgroup.events" : "freezer.state"));
  return unified ? frozen_in(text) : trimmed(text) == "FROZEN";
}

Result<void> Cgroup::freeze(std::chrono::milliseconds at_most) const {
  const Directory* here = unified() != nullptr ? unified() : controlled("freezer");
  if (here == nullptr)
    return fail_with(EOPNOTSUPP, "this cgroup can't be frozen: it has no freezer",
                     "mount cgroup2, or the v1 freezer: mount -t cgroup -o freezer freezer "
                     "/sys/fs/cgroup/freezer");
  const auto deadline = Clock::now() + at_most;
  TRY(during("freezing", set_frozen(*here, Frozen::yes)));
  const Result<bool> stopped =
      here->unified() ? wait_v2(*here, deadline) : wait_v1(*here, deadline);
  if (stopped && *stopped) return {};
  const auto inside = processes();
  TRY(set_frozen(*here, Frozen::no));
  if (!stopped) return Failure(during("freezing", stopped).error());
  std::string who = inside ? described(*inside) : "a process";
  return fail_with(ETIMEDOUT,
                   "freezing " + here->path() + ": not all stopped within " +
                       std::to_string(at_most.count()) + " ms: " + who,
                   "one that waits for a device can't be frozen until the device answers");
}

Result<void> Cgroup::thaw() const {
  for (const Directory& directory : directories_)
    if (freezes(directory)) TRY(during("thawing", set_frozen(directory, Frozen::no)));
  return {};
}

Result<bool> Cgroup::frozen() const {
  for (const Directory& directory : directories_) {
    const bool here = TRY(is_frozen(directory));
    if (here) return true;
  }
  return false;
}

}  // namespace umbel::cgroup
