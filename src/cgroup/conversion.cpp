// Shares become a weight along the curve that passes through both minima, both defaults and both
// maxima, a parabola in log-log scale; the older straight line gives a container with default
// shares a weight of 39 beside everything else's 100. The curve is the one that Kubernetes and the
// OCI runtimes agreed on in 2025, so that neighbours count alike.
#include "cgroup/conversion.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace umbel::cgroup {

std::string or_max(std::int64_t value) { return value < 0 ? "max" : std::to_string(value); }

std::uint64_t weight_of_shares(std::uint64_t shares) {
  const double log = std::log2(static_cast<double>(std::clamp<std::uint64_t>(shares, 2, 262144)));
  const double exponent = (log * log + 125 * log) / 612 - 7.0 / 34;
  // Less a hair: the ends and the default must not be rounded up for an error in the last digit.
  return static_cast<std::uint64_t>(std::ceil(std::pow(10, exponent) - 1e-9));
}

std::uint64_t io_weight_of(std::uint64_t weight) {
  return 1 + (std::clamp<std::uint64_t>(weight, 10, 1000) - 10) * 9999 / 990;
}

Result<std::string> swap_alone(std::int64_t both, std::int64_t memory) {
  if (both < 0) return std::string("max");
  if (memory < 0)
    return fail_with(EINVAL, "swap can't be limited while memory is not",
                     "give a limit of memory too");
  if (both < memory)
    return fail_with(
        EINVAL,
        "the limit of memory and swap, " + size_text(static_cast<std::uint64_t>(both)) +
            ", is below that of memory alone, " + size_text(static_cast<std::uint64_t>(memory)),
        "memory and swap together must be at least the limit of memory");
  return std::to_string(both - memory);
}

}  // namespace umbel::cgroup
