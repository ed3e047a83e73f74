// The eight kinds of namespaces, and the only list of them; other code loops over it.
// Source: namespaces(7) and its page for each kind.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "ns/settings.h"
#include "sys/namespace.h"

namespace umbel::ns {

enum class Kind : std::uint8_t { user, mnt, pid, net, ipc, uts, cgroup, time };
constexpr std::size_t kind_count = 8;
constexpr std::size_t index(Kind kind) { return static_cast<std::size_t>(kind); }

struct KindInfo {
  Kind kind;
  std::string_view option;  // what people type: --OPTION new|host|...
  std::string_view proc;    // name in /proc/PID/ns
  std::string_view oci;     // name in config.json
  std::uint64_t flag;       // CLONE_NEW*
  // Made together with the process by one clone3. Not so cgroup, which must be made after the
  // process was put into its cgroup (its root is where the process is then), and time, whose
  // offsets clone3 would freeze before they are written.
  bool by_clone;
  std::string_view what;                   // for help and info
  Result<void> (*apply)(const Settings&);  // inside, by its first process: to create and to restore
  Result<void> (*capture)(Settings&);      // inside: the inverse of apply
};

extern const std::array<KindInfo, kind_count> kinds;

inline const KindInfo& info(Kind kind) { return kinds.at(index(kind)); }
// By any of its names: user, userns, mount, mnt, network ...
std::optional<Kind> kind_named(std::string_view name);

}  // namespace umbel::ns
