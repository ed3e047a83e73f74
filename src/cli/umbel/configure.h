// From what a person asked for to a container's config: defaults, checks, and refusals before
// anything is started.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "cgroup/cgroup.h"
#include "cli/umbel/run_options.h"
#include "container/config.h"
#include "ns/user.h"

namespace umbel::cli {

// Who calls umbel, and from where: everything that configure() does not know by itself.
struct Caller {
  bool administrator = false;  // CAP_SYS_ADMIN: may make namespaces without a user namespace
  std::string directory;       // where it was called
  std::vector<std::string> environment;
  ns::Settings own_ids;                         // the id maps of its user namespace
  ns::user::Available available;                // what an ordinary user may map
  std::optional<container::WindowSize> window;  // of its terminal
  cgroup::Host cgroup;                          // of an ordinary user: whether it may make cgroups
};
Result<Caller> caller();

// The ids of a new user namespace where nobody named any: an administrator's are the same inside
// and outside, but without any right over the host; an ordinary user's are what may be mapped.
void set_default_ids(const Caller& caller, ns::Settings& settings);

struct Configured {
  container::Config config;
  std::vector<std::string> notes;  // what a person should know before it starts
};
Result<Configured> configure(const RunOptions& options, const Caller& caller);

}  // namespace umbel::cli
