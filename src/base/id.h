// Numbers that must not be mistaken for each other. A HostPid is a pid as the pid namespace that
// umbel runs in counts; an InnerPid as the container's own counts.
#pragma once

#include <compare>
#include <cstdint>

namespace umbel {

template <class Tag, class Number>
class Id {
 public:
  constexpr Id() = default;
  constexpr explicit Id(Number value) : value_(value) {}
  constexpr Number value() const { return value_; }
  constexpr explicit operator bool() const { return value_ != 0; }
  friend constexpr auto operator<=>(Id, Id) = default;

 private:
  Number value_ = 0;
};

using HostPid = Id<struct HostPidTag, std::int32_t>;
using InnerPid = Id<struct InnerPidTag, std::int32_t>;

}  // namespace umbel
