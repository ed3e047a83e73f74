// Programs that are run at fixed points of a container's life, as the OCI runtime specification has
// them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "base/value.h"

namespace umbel::container {

struct Config;

struct Hook {
  std::string path;
  std::vector<std::string> args, env;   // args begins with the program's own name
  std::optional<std::int64_t> timeout;  // seconds
};
void fields(auto& archive, Hook& h) {
  archive("path", h.path);
  archive("args", h.args);
  archive("env", h.env);
  archive("timeout", h.timeout);
}

struct Hooks {
  // While it is created, before its root is entered: by the launcher, on the host; the last by the
  // first process, in the container's namespaces with the host's files still to be seen.
  std::vector<Hook> prestart, create_runtime, create_container;
  // By the first process, inside, when it is to become the command.
  std::vector<Hook> start_container;
  // On the host: when the command runs, and when the container is gone.
  std::vector<Hook> poststart, poststop;
};
void fields(auto& archive, Hooks& h) {
  archive("prestart", h.prestart);
  archive("createRuntime", h.create_runtime);
  archive("createContainer", h.create_container);
  archive("startContainer", h.start_container);
  archive("poststart", h.poststart);
  archive("poststop", h.poststop);
}

constexpr std::string_view specification = "1.3.0";  // of the OCI runtime, as it is spoken here

// The container's state as the specification words it; a pid of 0 is left out.
Value state_of(const Config& config, std::string_view status, HostPid pid);

// One after the other, each with the container's state as JSON on its standard input, until one
// fails or exceeds its time. `step` names the member of Hooks.
Result<void> run_hooks(const std::vector<Hook>& hooks, std::string_view step, const Config& config,
                       std::string_view status, HostPid pid);
// All of them, whatever becomes of each; what went wrong.
std::vector<std::string> run_all_hooks(const std::vector<Hook>& hooks, std::string_view step,
                                       const Config& config, std::string_view status, HostPid pid);

}  // namespace umbel::container
