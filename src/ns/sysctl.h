// Kernel parameters that belong to a namespace, under /proc/sys.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "ns/settings.h"

namespace umbel::ns {

enum class Kind : std::uint8_t;

// The kind of namespace that a parameter belongs to; nullopt when it is the whole host's.
std::optional<Kind> sysctl_owner(std::string_view name);

// Those of the settings whose names begin with the prefix, in the caller's own namespaces.
Result<void> write_sysctls(const Settings& settings, std::string_view prefix);
// The present values of those that the settings name.
Result<void> read_sysctls(Settings& settings, std::string_view prefix);

namespace ipc {
Result<void> apply(const Settings& settings);
Result<void> capture(Settings& settings);
}  // namespace ipc

}  // namespace umbel::ns
