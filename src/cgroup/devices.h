// Which device nodes a cgroup may use. The rules say, in order, what the last of them says; v1 and
// cgroup2 each want it in a form of their own. Pure, except for what Cgroup does with it.
#pragma once

#include <linux/bpf.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "cgroup/limits.h"

namespace umbel::cgroup {

// v1's form: one answer, and the exceptions to it.
struct DeviceAccess {
  char type = 0;                        // 'b' or 'c'
  std::int64_t major = -1, minor = -1;  // -1: any
  unsigned access = 0;                  // BPF_DEVCG_ACC_*
  friend bool operator==(const DeviceAccess&, const DeviceAccess&) = default;
};
struct DeviceList {
  bool allowed = true;  // what no exception names
  std::vector<DeviceAccess> exceptions;
};
// "c 1:3 rwm", "b *:* m"
std::string text(const DeviceAccess& access);
Result<DeviceAccess> parse_device_access(std::string_view line);
// `start` is what the parent allows. EINVAL for rules that v1 can't express: those that take a part
// out of what an earlier rule has given.
Result<DeviceList> device_list(const std::vector<DeviceRule>& rules, DeviceList start);

// cgroup2's form.
Result<std::vector<bpf_insn>> device_program(const std::vector<DeviceRule>& rules);

}  // namespace umbel::cgroup
