// Everything that makes a container, as plain data; what can't be said here, umbel can't do. The
// human face and the OCI face both fill it, a checkpoint saves it. It knows nothing of either.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cgroup/limits.h"
#include "container/hooks.h"
#include "ns/set.h"
#include "rootfs/spec.h"
#include "security/capabilities.h"
#include "security/credentials.h"
#include "security/sched.h"
#include "security/seccomp.h"

namespace umbel::container {

struct WindowSize {
  std::uint16_t rows = 0, columns = 0;
};
void fields(auto& archive, WindowSize& w) {
  archive("rows", w.rows);
  archive("columns", w.columns);
}

struct Process {
  std::vector<std::string> args, env;
  std::string cwd = "/";
  bool cwd_is_wish = false;  // nobody named it: "/" where it can't be entered
  // As written by a person ("www-data:adm"), looked up inside; empty: `user` says it.
  std::string user_name;
  security::User user;
  bool terminal = false, interactive = false;
  std::optional<WindowSize> console_size;  // of the terminal; 0 is left for whoever attaches
  security::Capabilities capabilities;
  bool no_new_privileges = true;
  std::vector<security::Rlimit> rlimits;
  std::optional<std::int64_t> oom_score;
  std::string apparmor, selinux;
  // Docker's rules for the capabilities above, which umbel has built in; else `seccomp`, else none.
  bool default_filter = false;
  std::optional<security::Seccomp> seccomp;
  bool new_keyring = false;  // a session keyring of its own; else the caller's
  std::optional<security::Scheduler> scheduler;
  std::optional<security::IoPriority> io_priority;
  std::optional<security::Personality> personality;
  std::optional<security::MemoryPolicy> memory_policy;
  security::CpuAffinity affinity;  // of processes that enter the container later
};
void fields(auto& archive, Process& p) {
  archive("args", p.args);
  archive("env", p.env);
  archive("cwd", p.cwd);
  archive("cwdIsWish", p.cwd_is_wish);
  archive("userName", p.user_name);
  archive("user", p.user);
  archive("terminal", p.terminal);
  archive("interactive", p.interactive);
  archive("consoleSize", p.console_size);
  archive("capabilities", p.capabilities);
  archive("noNewPrivileges", p.no_new_privileges);
  archive("rlimits", p.rlimits);
  archive("oomScoreAdj", p.oom_score);
  archive("apparmorProfile", p.apparmor);
  archive("selinuxLabel", p.selinux);
  archive("defaultFilter", p.default_filter);
  archive("seccomp", p.seccomp);
  archive("newKeyring", p.new_keyring);
  archive("scheduler", p.scheduler);
  archive("ioPriority", p.io_priority);
  archive("personality", p.personality);
  archive("memoryPolicy", p.memory_policy);
  archive("affinity", p.affinity);
}

// A policy that the container keeps to for life. umbel's library knows nothing of what it says.
struct Promise {
  std::string policy;  // its name; empty: none
  std::string rules;   // JSON
};
void fields(auto& archive, Promise& p) {
  archive("policy", p.policy);
  archive("rules", p.rules);
}

struct Config {
  std::string name;
  bool named_host = false;  // without a host name of its own it gets the container's name
  ns::Choices namespaces;
  ns::Settings settings;
  rootfs::Spec files;
  Process process;
  // Below the root of each hierarchy; the name is added to one that ends with '/' or '-'. Empty:
  // stay in the caller's.
  std::string cgroup;
  cgroup::Limits limits;
  std::vector<cgroup::DeviceRule> device_rules;
  std::map<std::string, std::string> net_devices;  // of the host's network, to the name inside
  bool init = true;                                // the small reaper is pid 1
  std::string stop_signal = "TERM";
  std::map<std::string, std::string> labels;
  bool auto_remove = false;
  std::string pid_file;
  std::string bundle;  // the directory that it came from, if it was one
  Hooks hooks;
  Promise promise;
};
void fields(auto& archive, Config& c) {
  archive("name", c.name);
  archive("namedHost", c.named_host);
  archive("namespaces", c.namespaces);
  archive("settings", c.settings);
  archive("files", c.files);
  archive("process", c.process);
  archive("cgroup", c.cgroup);
  archive("limits", c.limits);
  archive("deviceRules", c.device_rules);
  archive("netDevices", c.net_devices);
  archive("init", c.init);
  archive("stopSignal", c.stop_signal);
  archive("labels", c.labels);
  archive("autoRemove", c.auto_remove);
  archive("pidFile", c.pid_file);
  archive("bundle", c.bundle);
  archive("hooks", c.hooks);
  archive("promise", c.promise);
}

}  // namespace umbel::container
