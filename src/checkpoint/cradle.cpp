// setns(2) with a pidfd enters several namespaces at once or none (Linux 5.8). A mount namespace
// can be entered by a process in one thread alone, whose root and working directory change with it.
#include "checkpoint/cradle.h"

#include <fcntl.h>

#include "inspect/process.h"
#include "sys/file.h"
#include "sys/identity.h"
#include "sys/namespace.h"
#include "sys/process.h"
#include "sys/procfs.h"
#include "sys/program.h"

namespace umbel::checkpoint {

namespace {

struct Entered {
  std::string_view name;
  std::uint64_t flag;
};
constexpr std::array entered = std::to_array<Entered>(
    {{"mnt", CLONE_NEWNS}, {"net", CLONE_NEWNET}, {"ipc", CLONE_NEWIPC}, {"uts", CLONE_NEWUTS}});

}  // namespace

Result<Cradle> Cradle::make(const image::Reader& reader) {
  image::Tree tree = TRY(image::tree_in(reader));
  Workplace workplace = TRY(Workplace::make(tree));
  sys::Channel line = TRY(sys::channel());
  return Cradle(std::move(tree), std::move(workplace), std::move(line));
}

Bearer::Role role_of_bearer(const image::Tree& tree) {
  return tree.reaper ? Bearer::Role::reaper : Bearer::Role::first;
}

Result<void> enter_namespaces(HostPid process) {
  const Fd procfs = TRY(sys::open(cwd, "/proc", O_RDONLY | O_DIRECTORY));
  const inspect::Process target = TRY(inspect::Process::open(process));
  const inspect::Process self = TRY(inspect::Process::open(sys::own_pid()));
  const Fd pidfd = TRY(sys::pidfd_open(process));
  Fd programs = TRY(sys::open(cwd, "/proc/self/ns/mnt", O_RDONLY));
  std::uint64_t flags = 0;
  for (const Entered& kind : entered) {
    const std::string link = "ns/" + std::string(kind.name);
    if (TRY(target.link(link)) != TRY(self.link(link))) flags |= kind.flag;
  }
  if (flags != 0)
    TRY(during("entering the namespaces of process " + std::to_string(process.value()),
               sys::setns(pidfd, flags)));
  sys::keep_programs(std::move(programs));
  return sys::keep_procfs(procfs);
}

}  // namespace umbel::checkpoint
