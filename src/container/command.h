// The last steps of every process that umbel starts inside a container, first command or exec
// alike: from a process that stands in the right namespaces to the program that was asked for.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "cgroup/cgroup.h"
#include "container/config.h"
#include "security/seccomp.h"

namespace umbel::container {

// Errors about what an OCI document asked for begin with the path of its field; who gave options
// is told without.
enum class Asked { by_options, by_document };
inline Asked asked(const Config& config) {
  return config.bundle.empty() ? Asked::by_options : Asked::by_document;
}
template <class T>
Result<T> of_field(Asked asked, std::string_view field, Result<T> result) {
  return asked == Asked::by_document ? during(field, std::move(result)) : std::move(result);
}

// What the program gets as descriptors 0 to 2.
struct Stdio {
  FdRef in = standard_in, out = standard_out, err = standard_error;
};

// Looks the user up inside `root` and completes the environment (HOME, PATH); before any right is
// given up.
struct Person {
  security::User user;
  std::vector<std::string> env;
};
Result<Person> settle(const Process& process, FdRef root);

// What is done with the host's /proc and cgroups still in sight: cgroup (nullptr: stays in the
// caller's), keyring, the out-of-memory score. From then on nobody inside can look into this
// process, which holds the host's descriptors, not even with the right to trace (CVE-2016-9962).
Result<void> settle_outside(const Process& process, const cgroup::Cgroup* group, Asked asked);

// User, groups and capabilities; shared by the command and the reaper above it.
Result<void> drop_privileges(const Process& process, const security::User& user);

// As a shell finds it in the PATH of `env`; a name with a slash is a path already.
Result<std::string> find_program(const std::string& name, const std::vector<std::string>& env);

struct Command {
  const Process& process;
  Asked asked;
  const Person& person;
  const std::optional<security::Filter>& filter;
  Stdio stdio;
  FdRef terminal;          // the slave, or none
  Fd& channel;             // says ready; closes on exec; behind a gate it is whoever opened that
  unsigned preserved = 0;  // descriptors after the first three that the program gets
  FdRef gate = FdRef(-1);  // waits there when all is ready; else it does not wait
  std::function<Result<void>()> last = {};  // done when nothing but the execution is left
};
// In the process that becomes the command. Returns only when something failed.
Error run(const Command& command);

}  // namespace umbel::container
