// System-call filters: seccomp(2).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/fd.h"

namespace umbel::sys {

// Whether this kernel knows the action (a SECCOMP_RET_* value). EINVAL and such count as no.
bool seccomp_has_action(std::uint32_t action);
// `program` is an array of struct sock_filter. With SECCOMP_FILTER_FLAG_NEW_LISTENER among the
// flags the answer is the listener.
Result<std::optional<Fd>> set_seccomp_filter(std::span<const std::uint8_t> program,
                                             std::uint32_t flags);

}  // namespace umbel::sys
