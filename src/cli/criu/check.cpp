// Each thing that an engine needs from the kernel is tried, not looked up in a version number.
#include "cli/criu/check.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "sys/capability.h"
#include "sys/descriptor.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/memory.h"
#include "sys/process.h"
#include "sys/ptrace.h"
#include "sys/remote_memory.h"
#include "sys/userfault.h"

namespace umbel::cli::criu {

namespace {

// Forks a child that waits to be killed, and asks something of it as its tracer.
template <class Ask>
Result<void> of_traced_child(std::uint32_t options, Ask ask) {
  const sys::Process child = TRY(sys::start({}, []() -> int {
    for (;;) ::pause();
  }));
  TRY(sys::seize(child.pid(), options));
  TRY(sys::interrupt(child.pid()));
  TRY(sys::wait_stop(child.pid()));
  return ask(child.pid());
}

Result<void> choose_pids() {
  constexpr pid_t first = 1;  // of a new pid namespace
  const sys::Process child = TRY(sys::start(
      {.flags = 0x20000000 /* CLONE_NEWPID */, .set_tid = {&first, 1}}, []() -> int { return 0; }));
  return {};
}

Result<void> suspend_filters() {
  return of_traced_child(PTRACE_O_SUSPEND_SECCOMP, [](HostPid) { return Result<void>(); });
}

Result<void> ask_rseq() {
  return of_traced_child(0, [](HostPid pid) -> Result<void> {
    TRY(sys::get_rseq(pid));
    return {};
  });
}

Result<void> scan_pages() {
  const Fd pagemap = TRY(sys::open(cwd, "/proc/self/pagemap", O_RDONLY));
  TRY(sys::scan_pages(pagemap, {.start = 0, .end = 4096, .any_of = sys::PageIs::present}));
  return {};
}

Result<void> track_writes() {
  const Fd watcher = TRY(sys::own_userfault());
  return sys::make_watcher(watcher);
}

Result<void> map_vdso() {
  return sys::can_map_vdso() ? Result<void>() : fail("the vDSO can't be mapped anew");
}

Result<void> timer_numbers() {
  constexpr int restore_ids = 77, ask = 2;
  if (::prctl(restore_ids, ask, 0, 0, 0) < 0) return fail("timers can't be given their numbers");
  return {};
}

Result<void> compare_files() {
  TRY(sys::compare(sys::own_pid(), sys::own_pid(), KCMP_FILE, 0, 0));
  return {};
}

Result<void> set_layout() {
  return of_traced_child(0, [](HostPid pid) -> Result<void> {
    return sys::status_behind(cwd, "/proc/" + std::to_string(pid.value()) + "/map_files")
               ? Result<void>()
               : fail("there is no /proc/PID/map_files");
  });
}

struct Feature {
  std::string_view name;
  Result<void> (*probe)();
  bool needed;  // by every dump and restore
  std::string_view cure;
};
constexpr std::string_view newer = "use a kernel that has it", root = "run it as root";
constexpr std::array features = std::to_array<Feature>({
    {"clone3_set_tid", choose_pids, true, root},
    {"can_map_vdso", map_vdso, true, "use a kernel with CONFIG_CHECKPOINT_RESTORE"},
    {"get_rseq_conf", ask_rseq, true, newer},
    {"kcmp_epoll", compare_files, true, "use a kernel with CONFIG_KCMP"},
    {"map_files", set_layout, true, "use a kernel with CONFIG_CHECKPOINT_RESTORE"},
    {"seccomp_suspend", suspend_filters, false, root},
    {"seccomp_filters", suspend_filters, false, root},
    {"pagemap_scan", scan_pages, false, newer},
    {"uffd-wp-async", track_writes, false, newer},
    {"mem_dirty_track", track_writes, false, newer},
    {"timer_cr_ids", timer_numbers, false, newer},
});

Result<void> probe(const Feature& feature) {
  return advise(feature.cure, during(std::string(feature.name), feature.probe()));
}

Result<int> check_one(const std::string& name) {
  const auto found = std::ranges::find(features, name, &Feature::name);
  if (found == features.end()) return fail("'" + name + "' is no feature that umbel asks for");
  TRY(probe(*found));
  return 0;
}

}  // namespace

Result<void> check_needed() {
  for (const Feature& feature : features)
    if (feature.needed) TRY(probe(feature));
  return {};
}

bool can_track_memory() { return scan_pages() && track_writes(); }

Result<int> check(const Options& options) {
  if (!options.features.empty()) {
    for (const std::string& name : options.features) TRY(check_one(name));
    return 0;
  }
  for (const Feature& feature : features) {
    const Result<void> there = probe(feature);
    if (there) continue;
    if (feature.needed) return Failure(there.error());
    TRY(sys::write_all(standard_error, "Warning: " + there.error().message() + "\n"));
  }
  TRY(sys::write_all(standard_out, "Looks good.\n"));
  return 0;
}

}  // namespace umbel::cli::criu
