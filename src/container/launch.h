// Starts a container's first process: a narrative in three processes.
//   launcher  makes what must be made outside: id maps, cgroup; then says go.
//   stage     only when something is joined or the clocks are new: enters it, starts init, ends.
//   init      inside: settings, file system, terminal; becomes the command, or its reaper.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cgroup/cgroup.h"
#include "container/command.h"
#include "container/config.h"
#include "container/net_devices.h"
#include "ns/set.h"
#include "rootfs/rootfs.h"
#include "security/seccomp.h"
#include "sys/process.h"

namespace umbel::container {

// The first process, with everything around it that a command would find, and none yet.
struct Waiting {
  HostPid init;
  Stdio stdio;     // as the command would get it
  FdRef terminal;  // the master, where the config asks for one
};

// What fills a container instead of its command: the processes of a checkpoint.
struct Revival {
  // The first process bears them and is their reaper, or it becomes the first of them itself.
  enum class Role { reaper, first } role = Role::reaper;
  // Called by the launcher. Returns the pid inside of the one with whom the container ends; an
  // error is the start's, and the first process is killed.
  std::function<Result<InnerPid>(const Waiting&)> fill;
};

// Everything that is opened or compiled before anything is started.
struct Surroundings {
  ns::Plan namespaces;
  std::optional<rootfs::Prepared> files;   // absent: the mount namespace is not new
  std::optional<security::Filter> filter;  // absent: none
  const cgroup::Cgroup* cgroup = nullptr;  // none: stays in the caller's
  Stdio stdio;
  unsigned preserved = 0;  // descriptors after the first three that the command gets
  Fd gate;                 // where it waits before it becomes the command; else it does not wait
  const Revival* revival = nullptr;  // none: the command is started
  bool awaits_devices = false;       // of the host's network, whose parameters may be set

  // Init makes its file system while the launcher makes the cgroup. Not with a user namespace,
  // which needs its id maps first and can't enter a cgroup that is made later.
  bool works_ahead() const {
    return !namespaces.needs_stage() && !namespaces.is_fresh(ns::Kind::user) && !awaits_devices;
  }
};

struct Launched {
  sys::Process init;
  Fd terminal;                     // the master, where the config asks for a terminal
  LentDevices devices;             // until they are kept
  std::vector<std::string> notes;  // what a person should know
};

// `born` is called when init exists and waits, or will: its pid can be recorded and its cgroup
// completed. Returns when the command executes or init waits at its gate, or with the error that
// stopped it, and then nothing is left running.
Result<Launched> launch(const Config& config, Surroundings& around,
                        const std::function<Result<void>(HostPid)>& born);

}  // namespace umbel::container
