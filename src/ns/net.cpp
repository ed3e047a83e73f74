// A new network namespace has only a loopback link, and that is down.
#include "ns/net.h"

#include "ns/sysctl.h"
#include "sys/identity.h"

namespace umbel::ns::net {

Result<void> apply(const Settings& settings) {
  if (settings.loopback_up) TRY(during("bringing lo up", sys::set_link_up("lo")));
  return write_sysctls(settings, "net");
}

Result<void> capture(Settings& settings) { return read_sysctls(settings, "net"); }

}  // namespace umbel::ns::net
