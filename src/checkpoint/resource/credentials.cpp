// With SECBIT_NO_SETUID_FIXUP set, changes of the user leave the capabilities alone, so that they
// can be set last, as they were; what is asked of the kernel in between needs the old ones. A
// thread that has what it needs already is not touched: then no privilege is needed either.
#include "checkpoint/resource/credentials.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

namespace umbel::checkpoint {

namespace {

namespace call = remote::call;

constexpr int last_capability = 63;

void set_capabilities(remote::Batch& batch, const image::Credentials& wanted) {
  const __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::vector<__user_cap_data_struct> data(2);
  for (std::size_t half = 0; half < data.size(); ++half) {
    const auto part = [&](std::uint64_t set) {
      return static_cast<std::uint32_t>(set >> 32 * half);
    };
    data[half] = {.effective = part(wanted.effective),
                  .permitted = part(wanted.permitted),
                  .inheritable = part(wanted.inheritable)};
  }
  batch.call(call::capset, batch.value(header), batch.values(data));
}

}  // namespace

Result<image::Credentials> credentials_of(const proc::Keyed& status) {
  image::Credentials found;
  const auto uids = TRY(status.numbers("Uid")), gids = TRY(status.numbers("Gid"));
  if (uids.size() != 4 || gids.size() != 4)
    return fail("four ids are expected in /proc/PID/status");
  const auto narrow = [](std::uint64_t id) { return static_cast<std::uint32_t>(id); };
  found.uid = narrow(uids[0]);
  found.effective_uid = narrow(uids[1]);
  found.saved_uid = narrow(uids[2]);
  found.file_uid = narrow(uids[3]);
  found.gid = narrow(gids[0]);
  found.effective_gid = narrow(gids[1]);
  found.saved_gid = narrow(gids[2]);
  found.file_gid = narrow(gids[3]);
  for (const std::uint64_t group : TRY(status.numbers("Groups")))
    found.groups.push_back(narrow(group));
  found.inheritable = TRY(status.number("CapInh", 16));
  found.permitted = TRY(status.number("CapPrm", 16));
  found.effective = TRY(status.number("CapEff", 16));
  found.bounding = TRY(status.number("CapBnd", 16));
  found.ambient = TRY(status.number("CapAmb", 16));
  found.no_new_privileges = TRY(status.number("NoNewPrivs")) != 0;
  return found;
}

void restore_credentials(remote::Batch& batch, const image::Credentials& wanted,
                         const image::Credentials& own,
                         const std::function<void()>& before_dropping) {
  if (wanted.no_new_privileges && !own.no_new_privileges)
    batch.call(call::prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  before_dropping();
  image::Credentials same = own;
  same.no_new_privileges = wanted.no_new_privileges;
  if (wanted == same) return;
  batch.call(call::prctl, PR_SET_SECUREBITS, own.secure_bits | SECBIT_NO_SETUID_FIXUP);
  batch.call(call::setgroups, wanted.groups.size(), batch.values(wanted.groups));
  batch.call(call::setresgid, wanted.gid, wanted.effective_gid, wanted.saved_gid);
  batch.attempt(call::setfsgid, wanted.file_gid);
  batch.call(call::setresuid, wanted.uid, wanted.effective_uid, wanted.saved_uid);
  batch.attempt(call::setfsuid, wanted.file_uid);
  for (int capability = 0; capability <= last_capability; ++capability)
    if (((own.bounding & ~wanted.bounding) >> capability & 1) != 0)
      batch.call(call::prctl, PR_CAPBSET_DROP, capability, 0, 0, 0);
  batch.call(call::prctl, PR_SET_SECUREBITS, wanted.secure_bits);
  set_capabilities(batch, wanted);
  for (int capability = 0; capability <= last_capability; ++capability)
    if ((wanted.ambient >> capability & 1) != 0)
      batch.call(call::prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
}

}  // namespace umbel::checkpoint
