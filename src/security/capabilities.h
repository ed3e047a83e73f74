// Capabilities as 64-bit sets. Source: capabilities(7).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace umbel::security {

using CapSet = std::uint64_t;
constexpr CapSet capability(int number) { return CapSet{1} << number; }

struct Capabilities {
  CapSet bounding = 0, effective = 0, inheritable = 0, permitted = 0, ambient = 0;
  friend bool operator==(const Capabilities&, const Capabilities&) = default;
};
void fields(auto& archive, Capabilities& c) {
  archive("bounding", c.bounding);
  archive("effective", c.effective);
  archive("inheritable", c.inheritable);
  archive("permitted", c.permitted);
  archive("ambient", c.ambient);
}

// "CAP_NET_ADMIN", "net_admin", in any case. "ALL" is own_bounding(): all that there is to give, so
// that asking for everything is never refused for what nobody could give. Suggests near misses.
Result<CapSet> parse_capability(std::string_view name);
// "CAP_CHOWN", in the order of their numbers; one that has no name here is "CAP_63".
std::vector<std::string> capability_names(CapSet set);
// Docker's default set of 14.
CapSet default_capabilities();
// All that this kernel knows.
CapSet all_capabilities();
// The bounding set of this process: no container in the same user namespace can get more.
CapSet own_bounding();
// All five sets of the calling thread.
Result<Capabilities> own_capabilities();

// Takes out of all five sets what `bound` lacks, and returns that: for sets that name what their
// author would take rather than what he insists on (the defaults, and the OCI configuration, where
// other runtimes go on with a warning). Not done, apply() refuses.
CapSet restrict_to(CapSet bound, Capabilities& capabilities);

// In the process that will execute the command. drop_bounding needs CAP_SETPCAP, so it comes before
// the change of user; then keep_across_user_change, the change of user, and apply.
Result<void> drop_bounding(CapSet keep);
Result<void> keep_across_user_change();
// Makes the sets of the calling thread these. What is asked for and can't be had is an error that
// names the capabilities, never left out silently. What the bounding set has too much is dropped,
// which needs CAP_SETPCAP in the permitted set.
Result<void> apply(const Capabilities& capabilities);
// In two steps, for who needs more in between: effective as wanted, but all else can be had again;
// then, before apply(), everything that is permitted is effective.
Result<void> rehearse(const Capabilities& capabilities);
Result<void> use_all_permitted();

}  // namespace umbel::security
