// System-call filters: a profile as data, compiled to BPF (by libseccomp), cached, installed.
// Source: seccomp(2), the OCI runtime specification's linux.seccomp, Docker's default profile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "security/capabilities.h"

namespace umbel::security {

struct SeccompArgument {
  std::uint32_t index = 0;
  std::uint64_t value = 0, value_two = 0;  // for SCMP_CMP_MASKED_EQ the mask and what is compared
  std::string op;                          // SCMP_CMP_EQ ...
};
void fields(auto& archive, SeccompArgument& a) {
  archive("index", a.index);
  archive("value", a.value);
  archive("valueTwo", a.value_two);
  archive("op", a.op);
}
// All arguments must match; but where two speak of the same index, each alone is enough (what
// runc made the specification mean).
struct SeccompRule {
  std::vector<std::string> names;
  std::string action;  // SCMP_ACT_ALLOW ...
  std::optional<std::uint32_t> errno_value;
  std::vector<SeccompArgument> args;
};
void fields(auto& archive, SeccompRule& r) {
  archive("names", r.names);
  archive("action", r.action);
  archive("errnoRet", r.errno_value);
  archive("args", r.args);
}
// The specification's linux.seccomp, name by name.
struct Seccomp {
  std::string default_action;
  std::optional<std::uint32_t> default_errno;
  std::vector<std::string> architectures;         // besides the native one
  std::optional<std::vector<std::string>> flags;  // absent: SECCOMP_FILTER_FLAG_SPEC_ALLOW
  std::string listener_path, listener_metadata;
  std::vector<SeccompRule> rules;
};
void fields(auto& archive, Seccomp& s) {
  archive("defaultAction", s.default_action);
  archive("defaultErrnoRet", s.default_errno);
  archive("architectures", s.architectures);
  archive("flags", s.flags);
  archive("listenerPath", s.listener_path);
  archive("listenerMetadata", s.listener_metadata);
  archive("syscalls", s.rules);
}

// What a profile can be made of, name by name.
struct SeccompWords {
  std::vector<std::string> actions, operators, architectures, flags;
};
SeccompWords seccomp_words();

// Docker's rules for a container with these capabilities (its bounding set).
Seccomp default_seccomp(CapSet capabilities);
// A profile from a file, in OCI's form or Docker's (with includes, excludes and archMap).
Result<Seccomp> read_seccomp(const std::string& path, CapSet capabilities);

// The filter as the kernel takes it.
struct Filter {
  std::vector<std::uint8_t> program;  // an array of struct sock_filter
  std::uint32_t flags = 0;            // SECCOMP_FILTER_FLAG_*
  bool listener = false;              // some action is NOTIFY
};
void fields(auto& archive, Filter& f) {
  archive("program", f.program);
  archive("flags", f.flags);
  archive("listener", f.listener);
}
// A name that neither libseccomp nor umbel knows is passed over. A number above all that the
// profile speaks of answers ENOSYS where the default action would refuse it, so that programs fall
// back to an older call (a refusal with EPERM they would take for real).
//
// Compiling takes milliseconds, so filters are kept in the directory `cache` (empty: no cache),
// which is made if only it is missing. A cache that is not the caller's alone, or a damaged entry,
// is not used and not an error.
Result<Filter> compile(const Seccomp& profile, const std::string& cache);
// compile(default_seccomp(capabilities), cache), without building the profile where the cache has
// the filter.
Result<Filter> default_filter(CapSet capabilities, const std::string& cache);
// Why compile() does without this cache, for those who want to know.
Result<void> check_cache(const std::string& cache);

// For the calling thread from now on; needs no_new_privs or CAP_SYS_ADMIN. The listener's
// descriptor where the filter has one: whoever holds it must answer every call that the filter
// notifies of, also those that this process makes from now on.
Result<std::optional<Fd>> install(const Filter& filter);

}  // namespace umbel::security
