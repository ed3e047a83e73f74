// Capabilities as 64-bit sets. Source: capabilities(7).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace umbel::security {

using CapSet = std::uint64_t;
constexpr CapSet capability(int number) { return CapSet{1} << number; }

struct Capabilities {
  CapSet bounding = 0, effective = 0, inheritable = 0, permitted = 0, ambient = 0;
};
void fields(auto& archive, Capabilities& c) {
  archive("bounding", c.bounding);
  archive("effective", c.effective);
  archive("inheritable", c.inheritable);
  archive("permitted", c.permitted);
  archive("ambient", c.ambient);
}

// "CAP_NET_ADMIN", "net_admin", in any case; "ALL" is what this kernel knows. Suggests near misses.
Result<CapSet> parse_capability(std::string_view name);
std::vector<std::string> capability_names(CapSet set);
// Docker's default set of 14.
CapSet default_capabilities();
// All that this kernel knows (/proc/sys/kernel/cap_last_cap).
CapSet all_capabilities();
// The bounding set of this process: no container can get more.
Result<CapSet> own_bounding();

// In the process that will execute the command. drop_bounding needs CAP_SETPCAP, so it comes before
// the change of user; then keep_across_user_change, the change of user, and apply.
Result<void> drop_bounding(CapSet keep);
Result<void> keep_across_user_change(bool keep);
Result<void> apply(const Capabilities& capabilities);

}  // namespace umbel::security
