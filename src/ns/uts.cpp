// The host and domain name: sethostname(2), setdomainname(2), read back by uname(2).
#include "ns/uts.h"

#include "sys/identity.h"

namespace umbel::ns::uts {

Result<void> apply(const Settings& settings) {
  if (settings.hostname)
    TRY(during("setting the host name", sys::set_host_name(*settings.hostname)));
  if (settings.domainname)
    TRY(during("setting the domain name", sys::set_domain_name(*settings.domainname)));
  return {};
}

Result<void> capture(Settings& settings) {
  const sys::Names names = TRY(sys::names());
  settings.hostname = names.host;
  settings.domainname = names.domain;
  return {};
}

}  // namespace umbel::ns::uts
